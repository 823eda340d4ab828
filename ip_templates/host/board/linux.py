"""Zynq boards under Linux without a framework: FPGA manager, UIO and u-dma-buf.

Sources: the kernel's Documentation/ABI/testing/sysfs-class-fpga-manager with the vendor's attributes `flags` and
`firmware` (AMD, "FPGA programming using sysfs attributes"), Documentation/driver-api/uio-howto, and the README of
u-dma-buf. The clock's file is that of the vendor's kernel ("Controlling FCLKs in Linux").
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import BinaryIO, Iterator, cast

import numpy as np

from .bitstream import read_bitstream
from .description import Description
from .device import Bytes, PartitionFiles, as_bytes
from .errors import HostError
from .registers import AddressedBuffer, RegisterBoard

_TO_DEVICE, _FROM_DEVICE = 1, 2
_PAGE = 4096
_CLOCKS = ("soc0/fclk0", "soc0/*/fclk0", "platform/fclk0", "platform/*/fclk0")
_CLOCK_ERROR = 0.01


class DmaPool:
    """A device of u-dma-buf: one contiguous piece of memory, from which buffers are cut."""

    def __init__(self, name: str, root: Path) -> None:
        folders = [root / "sys/class" / kind / name for kind in ("u-dma-buf", "udmabuf")]
        self.folder = next((f for f in folders if f.is_dir()), folders[0])
        self.address = self._number("phys_addr")
        self.size = self._number("size")
        self.used = 0
        with _device(root / "dev" / name) as file:
            self.array: Bytes = as_bytes(mmap.mmap(file.fileno(), self.size))

    def take(self, size: int) -> int:
        """Offset of a new piece. HOST009 if there is no room."""
        offset = self.used
        if offset + size > self.size:
            hint = "load u-dma-buf with a larger size, or run with a smaller --batch"
            raise HostError("HOST009", f"{self.folder.name} has {self.size} bytes, {offset + size} are needed", hint)
        self.used = -(-(offset + size) // _PAGE) * _PAGE
        return offset

    def synchronise(self, offset: int, size: int, direction: int) -> None:
        """Clean (to the device) or invalidate (from the device) the caches of a range."""
        for name, value in (("sync_offset", offset), ("sync_size", size), ("sync_direction", direction)):
            _put(self.folder / name, str(value))
        _put(self.folder / ("sync_for_device" if direction == _TO_DEVICE else "sync_for_cpu"), "1")

    def _number(self, name: str) -> int:
        hint = "load the kernel module: insmod u-dma-buf.ko udmabuf0=SIZE"
        return int(_got(self.folder / name, hint), 0)


class DmaBuffer(AddressedBuffer):
    """A piece of a pool."""

    def __init__(self, pool: DmaPool, size: int) -> None:
        self._pool = pool
        self._start = pool.take(size)
        self.address = pool.address + self._start
        self.array = pool.array[self._start : self._start + size]

    def flush(self, offset: int, size: int) -> None:
        self._pool.synchronise(self._start + offset, size, _TO_DEVICE)

    def invalidate(self, offset: int, size: int) -> None:
        self._pool.synchronise(self._start + offset, size, _FROM_DEVICE)


class LinuxBoard(RegisterBoard):
    """`root`: where /sys, /dev and /lib/firmware are."""

    def __init__(self, files: Path, clock_mhz: float, pool: str = "udmabuf0", root: Path = Path("/")) -> None:
        super().__init__(files)
        self._clock_mhz = clock_mhz
        self._root = root
        self._pool = DmaPool(pool, root)
        self._registers: Bytes | None = None

    def load(self, partition: PartitionFiles, description: Description) -> None:
        bitstream = read_bitstream(self.path(partition, ".bit"), partition.identity)
        firmware = f"{partition.name}.bit.bin"
        folder = self._root / "lib/firmware"
        self._registers = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / firmware).write_bytes(bitstream.for_manager())
        except OSError as error:
            raise HostError("HOST008", f"cannot write {folder / firmware}: {error.strerror}", "run as root") from error
        manager = self._root / "sys/class/fpga_manager/fpga0"
        _put(manager / "flags", "0")
        _put(manager / "firmware", firmware)
        state = _got(manager / "state")
        (folder / firmware).unlink()
        if state != "operating":
            raise HostError("HOST008", f"the FPGA manager reports '{state}' after {firmware}", "dmesg says more")
        self._set_clock()
        self._registers = self._open(description)

    def allocate(self, size: int, argument: str) -> DmaBuffer:
        return DmaBuffer(self._pool, size)

    def close(self) -> None:
        self._registers = None

    def read(self, offset: int) -> int:
        return int(self._words()[offset // 4])

    def write(self, offset: int, value: int) -> None:
        self._words()[offset // 4] = value

    def _words(self) -> Bytes:
        if self._registers is None:
            raise HostError("HOST005", "no partition is configured")
        return self._registers

    def _open(self, description: Description) -> Bytes:
        """The UIO device at the partition's address."""
        for folder in sorted((self._root / "sys/class/uio").glob("uio*")):
            where = folder / "maps/map0"
            if (where / "addr").is_file() and int(_got(where / "addr"), 0) == description.base:
                size = int(_got(where / "size"), 0)
                if size < description.size:
                    raise HostError("HOST008", f"{folder.name} maps {size} bytes of {description.size}")
                with _device(self._root / "dev" / folder.name) as file:
                    return np.frombuffer(mmap.mmap(file.fileno(), size), np.uint32)
        hint = (
            f'add `{description.partition}@{description.base:x} {{ compatible = "generic-uio";'
            f" reg = <{description.base:#x} {description.size:#x}>; }};` to the device tree and"
            " `uio_pdrv_genirq.of_id=generic-uio` to the kernel's command line"
        )
        raise HostError("HOST008", f"no UIO device at {description.base:#x}", hint)

    def _set_clock(self) -> None:
        """The fabric's first clock; a bitstream does not carry it."""
        rate = next(self._clock_files(), None)
        if rate is None:
            hint = "enable CONFIG_XILINX_FCLK and a node `fclk0` in the device tree"
            raise HostError("HOST008", f"nothing sets the fabric's clock to {self._clock_mhz:g} MHz", hint)
        _put(rate, str(round(self._clock_mhz * 1e6)))
        actual = float(_got(rate)) / 1e6
        if actual > self._clock_mhz * (1 + _CLOCK_ERROR):
            raise HostError(
                "HOST008", f"the fabric's clock is {actual:g} MHz, timing holds for {self._clock_mhz:g} MHz"
            )

    def _clock_files(self) -> Iterator[Path]:
        for pattern in _CLOCKS:
            yield from sorted((self._root / "sys/devices").glob(f"{pattern}/set_rate"))


def _put(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise HostError("HOST008", f"cannot write {path}: {error.strerror}", "run as root") from error


def _got(path: Path, hint: str = "") -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise HostError("HOST008", f"cannot read {path}: {error.strerror}", hint) from error


def _device(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, path.open("r+b", buffering=0))
    except OSError as error:
        raise HostError("HOST008", f"cannot open {path}: {error.strerror}", "run as root") from error
