"""Depths of the FIFOs: two words everywhere, and at joins what the longer way around lags behind.

A fork feeds its branches in lockstep, so a join's early input must hold what the other branch swallows before its
first word comes out. In a synchronous dataflow graph that is a share of a frame, whatever the clock and the foldings:
a window swallows rows, an inner product the whole frame. The depth is a fact about words, so halved or doubled
latencies change nothing. The lead keeps a strided branch from stalling the fork in the middle of a row; two pixels are
added as margin.

    lag(out)   = max over inputs of lag(in) + pixels needed for the first output / pixels
    lead(out)  = lead(in) + pixels by which a strided window runs ahead inside a row / pixels
    depth(in)  = (ceil((max lag - lag(in) + lead(in)) * pixels) + 2) * words per pixel

An input straight from a memory port needs none: its reader simply waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow.model.hardware import Module, Stream
from flow.model.resources import REGISTER_DEPTH, fifo_depth

MARGIN_PIXELS = 2
WHOLE_FRAME = ("global_pool", "inner_product")
"""Modules whose first output needs the whole frame."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Of a module: shares of an input frame."""

    needed: float
    ahead: float


def module_lag(ip: str, parameters: Mapping[str, Any]) -> Lag:
    """How far a module's output lags behind its input, and how far a stride lets it run ahead inside a row."""
    if ip in WHOLE_FRAME:
        return Lag(1.0, 0.0)
    if "kernel_h" not in parameters:
        return Lag(0.0, 0.0)
    size = [parameters[f"in_{axis}"] for axis in "dhw"]
    area = (size[1] * size[2], size[2], 1)
    # The window's last corner, in real pixels: begin padding comes first in the stream.
    corner = [parameters[f"kernel_{a}"] - 1 - parameters[f"pad_{a}0"] for a in "dhw"]
    corner = [min(max(c, 0), n - 1) for c, n in zip(corner, size, strict=True)]
    needed = sum(c * a for c, a in zip(corner, area, strict=True)) + 1
    ahead = sum((parameters[f"stride_{axis}"] - 1) * a for axis, a in zip("dhw", area, strict=True))
    pixels = size[0] * area[0]
    return Lag(min(needed / pixels, 1.0), min(ahead / pixels, 1.0))


def join_words(lag: Any, lead: Any, longest: Any, pixels: Any, words: Any) -> Any:
    """Words that a join's input must hold.

    Args:
        lag, lead: of this input, shares of a frame.
        longest: largest lag of the join's inputs.
        pixels, words: of this input's stream per frame.
    """
    held = np.ceil(np.round((longest - lag + lead) * pixels, 6)) + MARGIN_PIXELS
    return (np.minimum(held, pixels) * (words // pixels)).astype(np.int64)


@dataclass(slots=True)
class _Flow:
    """What is known of a stream: lag, lead, and whether it comes straight from a memory port."""

    lag: float = 0.0
    lead: float = 0.0
    direct: bool = False


def with_depths(modules: tuple[Module, ...], streams: tuple[Stream, ...]) -> tuple[Stream, ...]:
    """The streams of one partition with their depths; modules come in topological order."""
    named = {s.name: s for s in streams}
    flows: dict[str, _Flow] = {}
    depths: dict[str, int] = {}
    for module in modules:
        inputs = [name for name in module.inputs if name in flows]
        lag = module_lag(module.ip, module.parameters)
        longest = max((flows[name].lag for name in inputs), default=0.0)
        if len(inputs) > 1:
            for name in inputs:
                depths[name] = _depth(flows[name], longest, module, named[name])
        lead = max((flows[name].lead for name in inputs), default=0.0)
        direct = module.ip == "memory_read" or (module.ip == "width_converter" and flows[inputs[0]].direct)
        for name in module.outputs:
            if named[name].tensor:
                flows[name] = _Flow(longest + lag.needed, lead + lag.ahead, direct)
    return tuple(replace(s, depth=depths.get(s.name, REGISTER_DEPTH)) for s in streams)


def _depth(flow: _Flow, longest: float, module: Module, stream: Stream) -> int:
    if flow.direct:
        return REGISTER_DEPTH
    pixels = module.parameters["pixels"]
    return int(fifo_depth(join_words(flow.lag, flow.lead, longest, pixels, stream.words)))
