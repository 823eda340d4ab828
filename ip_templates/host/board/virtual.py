"""A board that is none: partitions are compiled C++, registers and memory are emulated.

A bitstream is a program here, which knows its own register map; the .hwh beside it tells the host, as on a board.
Physical memory is a file. The host sees it through a cache that nobody keeps coherent: what it writes reaches the
device when it is flushed, what the device writes reaches the host when it is invalidated. The device may touch buffers
and nothing else.
"""

from __future__ import annotations

import contextlib
import mmap
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .bitstream import read_bitstream
from .description import Description
from .device import Bytes, PartitionFiles, as_bytes
from .errors import HostError
from .registers import AddressedBuffer, RegisterBoard

BASE = 1 << 35
"""Physical address of the memory: beyond 32 bits, as the upper part of a Zynq UltraScale+'s is."""
_PAGE = 4096
_IN_MEMORY, _IN_CACHE = 0x5A, 0xA5


class VirtualBuffer(AddressedBuffer):
    """`array` is the cache, `memory` what the device sees; both begin as noise."""

    def __init__(self, address: int, memory: Bytes) -> None:
        self.address = address
        self.memory = memory
        self.memory[:] = _IN_MEMORY
        self.array = np.full(len(memory), _IN_CACHE, np.uint8)

    def flush(self, offset: int, size: int) -> None:
        self.memory[offset : offset + size] = self.array[offset : offset + size]

    def invalidate(self, offset: int, size: int) -> None:
        self.array[offset : offset + size] = self.memory[offset : offset + size]


class VirtualBoard(RegisterBoard):
    """`capacity`: bytes of memory. Files and processes end with `close`."""

    patience = 1e6  # the time-out is for hardware; a compiled partition is thousands of times slower

    def __init__(self, files: Path, capacity: int = 1 << 32) -> None:
        super().__init__(files)
        self._scratch = tempfile.TemporaryDirectory(prefix="board-")
        self._memory_file = Path(self._scratch.name) / "memory"
        self._capacity = capacity
        with self._memory_file.open("w+b") as file:
            file.truncate(capacity)
            self._memory: Bytes = as_bytes(mmap.mmap(file.fileno(), capacity))
        self._buffers: list[VirtualBuffer] = []
        self._used = 0
        self._log: Any = None
        self._device: subprocess.Popen[bytes] | None = None

    def load(self, partition: PartitionFiles, description: Description) -> None:
        """Memory survives; what the last partition kept does not."""
        bitstream = read_bitstream(self.path(partition, ".bit"), partition.identity)
        self._stop()
        program = Path(self._scratch.name) / partition.name
        program.write_bytes(bitstream.data)
        program.chmod(0o700)
        self._log = (Path(self._scratch.name) / "log").open("w+b")
        self._device = subprocess.Popen(
            [str(program), str(self._memory_file), str(BASE), str(self._capacity)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        for buffer in self._buffers:
            self._grant(buffer)

    def allocate(self, size: int, argument: str) -> VirtualBuffer:
        """Ends at the end of a page, so that the first byte behind it is out of bounds; the next page is nobody's."""
        pages = -(-size // _PAGE) * _PAGE
        end = self._used + pages
        if end + _PAGE > self._capacity:
            message = f"the board has {self._capacity} bytes, {end + _PAGE} are needed"
            raise HostError("HOST009", message, "run with a smaller --batch")
        self._used = end + _PAGE
        start = end - size
        buffer = VirtualBuffer(BASE + start, self._memory[start:end])
        self._buffers.append(buffer)
        if self._device is not None:
            self._grant(buffer)
        return buffer

    def read(self, offset: int) -> int:
        return int(self._ask(f"read {offset}"))

    def write(self, offset: int, value: int) -> None:
        self._ask(f"write {offset} {value}")

    def close(self) -> None:
        self._stop()
        self._scratch.cleanup()

    def _grant(self, buffer: VirtualBuffer) -> None:
        self._ask(f"grant {buffer.address} {buffer.size}")

    def _ask(self, line: str) -> str:
        """The device's answer. HOST011 if it has stopped, or refuses."""
        device = self._device
        if device is None or device.stdin is None or device.stdout is None:
            raise HostError("HOST005", "no partition is configured")
        with contextlib.suppress(BrokenPipeError):  # what it said at its end can still be read
            device.stdin.write(line.encode("ascii") + b"\n")
            device.stdin.flush()
        answer = device.stdout.readline().decode("ascii", "replace").strip()
        word, _, rest = answer.partition(" ")
        if word not in ("ok", "value"):
            raise HostError("HOST011", f"the device stopped: {rest or self._last_words()}")
        return rest

    def _last_words(self) -> str:
        assert self._device is not None
        status = self._device.wait()
        self._log.seek(0)
        said = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else f"status {status}"

    def _stop(self) -> None:
        if self._device is not None:
            self._device.kill()
            self._device.communicate()
            self._log.close()
            self._device = None
