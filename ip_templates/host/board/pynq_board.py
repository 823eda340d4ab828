"""Boards with a PYNQ image: `Overlay` loads, `MMIO` reads and writes, `allocate` gives contiguous memory.

Overlay sets the fabric's clocks from the hardware description. Registers are found by our own reading of it, which is
the same on every board.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .bitstream import read_bitstream
from .description import Description
from .device import PartitionFiles
from .errors import HostError
from .registers import AddressedBuffer, RegisterBoard


class PynqBuffer(AddressedBuffer):
    """A buffer of `pynq.allocate`; a part of it knows its own range of the caches."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self.array = memory
        self.address = int(memory.device_address)

    def flush(self, offset: int, size: int) -> None:
        self._memory[offset : offset + size].flush()

    def invalidate(self, offset: int, size: int) -> None:
        self._memory[offset : offset + size].invalidate()


class PynqBoard(RegisterBoard):
    """A board whose image has the package `pynq`."""

    def __init__(self, files: Path) -> None:
        super().__init__(files)
        try:
            import pynq
        except ImportError as error:
            raise HostError("HOST008", "the package pynq is not installed", "use the board's PYNQ image") from error
        self._pynq: Any = pynq
        self._mmio: Any = None

    def load(self, partition: PartitionFiles, description: Description) -> None:
        path = self.path(partition, ".bit")
        read_bitstream(path, partition.identity)
        self._pynq.Overlay(str(path), download=True)
        self._mmio = self._pynq.MMIO(description.base, description.size)

    def allocate(self, size: int, argument: str) -> PynqBuffer:
        try:
            return PynqBuffer(self._pynq.allocate(shape=(size,), dtype="u1"))
        except (MemoryError, RuntimeError) as error:
            hint = "boot with a larger cma=, or run with a smaller --batch"
            raise HostError("HOST009", f"no {size} bytes of contiguous memory: {error}", hint) from error

    def close(self) -> None:
        self._mmio = None

    def read(self, offset: int) -> int:
        return int(self._mmio.read(offset))

    def write(self, offset: int, value: int) -> None:
        self._mmio.write(offset, value)
