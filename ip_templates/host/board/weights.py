"""Files of weights: read once, and refused where they are not the ones that were generated with the partition."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from .errors import HostError
from .plan import Plan, Weights

_PIECE = 1 << 24


class WeightFiles:
    """Contents by file, uint8, mapped and not loaded: `folder` is the build's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: dict[str, Any] = {}

    def content(self, partition: int, weights: Weights) -> Any:
        """HOST001 if it cannot be read, HOST004 if size or CRC-32 are not those that the build has noted."""
        if weights.file not in self._checked:
            path = self._folder / weights.file
            try:
                content: Any = np.memmap(path, np.uint8, "r")
            except (OSError, ValueError) as error:
                raise HostError("HOST001", f"cannot read {path}: {error}", "copy weights/ to the board") from error
            if len(content) != weights.size or _crc32(content) != weights.crc32:
                raise HostError("HOST004", f"{path} does not belong to partition {partition}", "copy weights/ again")
            self._checked[weights.file] = content
        return self._checked[weights.file]


def streamed(plan: Plan) -> Iterator[tuple[int, Weights]]:
    """Files of streamed weights, each with its partition."""
    for index, partition in enumerate(plan.partitions):
        for weights in partition.slices.values():
            yield index, weights


def _crc32(content: Any) -> int:
    found = 0
    for start in range(0, len(content), _PIECE):
        found = zlib.crc32(memoryview(content[start : start + _PIECE]), found)
    return found
