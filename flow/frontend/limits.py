"""Bounds on what a file may ask for, so that a broken or hostile one is refused instead of filling the memory."""

from __future__ import annotations

LARGEST_FILE = 2 * 1000**3
"""Bytes of an ONNX file; protobuf itself ends at 2 GiB."""

MOST_ELEMENTS = 2**31
"""Values of one tensor."""

MOST_WEIGHTS = 2**32
"""Values of all weights together."""

MOST_RANGE = 2**20
"""Values of a constant range, which shape inference fills."""

MOST_NODES = 100_000

LARGEST_KEPT = 1024
"""Constants of more values than this are kept away from the simplifier, which would copy or expand them."""

LARGEST_FOLDED = 4 * 1024**2
"""Bytes of a constant that the simplifier may compute."""
