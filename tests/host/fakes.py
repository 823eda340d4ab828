"""What boards have and this machine has not, in front of the virtual board: `pynq`, `pyxrt`, and files of Linux.

They take calls as the real ones do (signatures after their documentation), so the back ends run whole schedules.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from ip_templates.host.board.bitstream import Bitstream
from ip_templates.host.board.description import read_description
from ip_templates.host.board.device import PartitionFiles, Pointer
from ip_templates.host.board.virtual import VirtualBoard, VirtualBuffer


def files_of(path: Path) -> PartitionFiles:
    """A partition as its bitstream's path names it."""
    return PartitionFiles(path.stem, path.parent.name, (), (), "")


class PynqArray(np.ndarray):
    """What `pynq.allocate` returns: an array with an address; a part of it has its own."""

    buffer: VirtualBuffer

    def __array_finalize__(self, whole: Any) -> None:
        if isinstance(whole, PynqArray):
            self.buffer = whole.buffer

    @property
    def offset(self) -> int:
        return int(self.__array_interface__["data"][0] - self.buffer.array.__array_interface__["data"][0])

    @property
    def device_address(self) -> int:
        return self.buffer.address + self.offset

    def flush(self) -> None:
        self.buffer.flush(self.offset, self.nbytes)

    def invalidate(self) -> None:
        self.buffer.invalidate(self.offset, self.nbytes)


def fake_pynq(board: VirtualBoard) -> ModuleType:
    module: Any = ModuleType("pynq")

    def overlay(path: str, download: bool) -> None:
        assert download and path.endswith(".bit")
        board.load(files_of(Path(path)), read_description(Path(path).with_suffix(".hwh"), Path(path).stem))

    def allocate(shape: tuple[int, ...], dtype: str) -> PynqArray:
        assert np.dtype(dtype) == np.uint8
        buffer = board.allocate(shape[0], "")
        array: Any = buffer.array.view(PynqArray)
        array.buffer = buffer
        return array

    def mmio(base: int, size: int) -> SimpleNamespace:
        assert (base, size) == (0x4000_0000, 0x1_0000)
        return SimpleNamespace(read=board.read, write=board.write)

    module.Overlay, module.allocate, module.MMIO = overlay, allocate, mmio
    return module


class XrtDevice:
    """`pyxrt.device`: registers of its kernel are written by `run`, as XRT does it from the kernel's metadata."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self.banks: list[int] = []

    def load_xclbin(self, path: str) -> str:
        self.board.load(files_of(Path(path)), read_description(Path(path).with_suffix(".hwh"), Path(path).stem))
        self.board.description = read_description(Path(path).with_suffix(".hwh"), Path(path).stem)
        return "uuid"


def fake_pyxrt(board: VirtualBoard, arguments: tuple[str, ...]) -> ModuleType:
    """`arguments`: of the one kernel, in order."""
    module: Any = ModuleType("pyxrt")
    device = XrtDevice(board)

    class Bo:
        class flags:
            normal = 0

        def __init__(self, card: XrtDevice, size: int, flags: int, group: int) -> None:
            device.banks.append(group)
            self.buffer = card.board.allocate(size, "")

        def map(self) -> memoryview:
            return memoryview(self.buffer.array)

        def sync(self, direction: str, size: int, offset: int) -> None:
            (self.buffer.flush if direction == "to" else self.buffer.invalidate)(offset, size)

    class Run:
        def __init__(self, kernel: Any) -> None:
            self.values: dict[str, Any] = {}

        def set_arg(self, index: int, value: Any) -> None:
            whole = Pointer(value.buffer, 0, value.buffer.size) if isinstance(value, Bo) else value
            self.values[arguments[index]] = whole

        def start(self) -> None:
            board.start(self.values)

        def wait(self, milliseconds: int) -> str:
            board.wait(milliseconds / 1000)
            return "completed"

    kernel = SimpleNamespace(get_name=lambda: "partition_0", get_num_args=lambda: len(arguments))
    module.device = lambda index: device
    module.xclbin = lambda path: SimpleNamespace(get_kernels=lambda: [kernel])
    module.kernel = lambda card, uuid, name: SimpleNamespace(group_id=lambda index: 10 + index)
    module.bo, module.run = Bo, Run
    module.xclBOSyncDirection = SimpleNamespace(XCL_BO_SYNC_BO_TO_DEVICE="to", XCL_BO_SYNC_BO_FROM_DEVICE="from")
    module.ert_cmd_state = SimpleNamespace(ERT_CMD_STATE_COMPLETED="completed")
    module.made = device
    return module


class LinuxTree:
    """/sys, /dev and /lib of a Zynq: a thread carries registers and memory between its files and a compiled device."""

    ADDRESS, SIZE = 0x1_8000_0000, 1 << 20
    BASE, RANGE = 0x4000_0000, 0x1_0000

    def __init__(self, root: Path, files: Path) -> None:
        self.root, self.files = root, files
        self.board = VirtualBoard(files, self.SIZE)
        self.synchronised: list[str] = []
        self.loaded: list[str] = []
        self._stop = threading.Event()
        self._register_file = self._file("dev/uio0", b"\0" * self.RANGE)
        for path, text in (
            ("sys/class/uio/uio0/maps/map0/addr", hex(self.BASE)),
            ("sys/class/uio/uio0/maps/map0/size", hex(self.RANGE)),
            ("sys/class/u-dma-buf/udmabuf0/phys_addr", hex(self.ADDRESS)),
            ("sys/class/u-dma-buf/udmabuf0/size", str(self.SIZE)),
            ("sys/class/fpga_manager/fpga0/state", "operating\n"),
            ("sys/devices/soc0/fclk0/set_rate", "50000000\n"),
        ):
            self._file(path, text.encode())
        self._file("dev/udmabuf0", b"\x5a" * self.SIZE)
        self.registers = np.memmap(self._register_file, np.uint32, "r+")
        self.registers[0] = 4  # idle
        self.memory = np.memmap(root / "dev/udmabuf0", np.uint8, "r+")
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def hook(self, put: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
        """`linux._put` that also does what the kernel does when these files are written."""

        def putting(path: Path, text: str) -> None:
            put(path, text)
            if path.name == "firmware":
                self._configure(text)
            if path.name.startswith("sync_for"):
                self.synchronised.append(path.name)

        return putting

    def close(self) -> None:
        self._stop.set()
        self.thread.join()
        self.board.close()

    def _file(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _configure(self, firmware: str) -> None:
        """The manager takes words whose bytes are reversed."""
        content = (self.root / "lib/firmware" / firmware).read_bytes()
        name = firmware.removesuffix(".bit.bin")
        real = Bitstream("", "", content).for_manager()  # reversed again
        index = name.rpartition("_")[2]
        path = self.files / f"p{index}" / f"{name}.bit"
        assert path.read_bytes().endswith(real)
        self.board.load(files_of(path), read_description(path.with_suffix(".hwh"), name))
        self.board.description = read_description(path.with_suffix(".hwh"), name)
        self.loaded.append(name)

    def _serve(self) -> None:
        while not self._stop.wait(0.001):
            if self.registers[0] & 1 and self.board.description is not None:
                self._run()

    def _run(self) -> None:
        """Memory goes into the virtual board's, and back; registers as the host wrote them, pointers moved."""
        board = self.board
        whole = board._buffers[0] if board._buffers else board.allocate(self.SIZE // 2, "")
        whole.memory[:] = self.memory[: whole.size]
        description = board.description
        assert description is not None
        for name, register in description.registers.items():
            if register.offset >= 0x10:
                value = int(self.registers[register.offset // 4])
                if name.endswith("_1"):
                    high = int(self.registers[description.registers[name[:-1] + "2"].offset // 4])
                    moved = (value | high << 32) - self.ADDRESS + whole.address
                    for offset, word in description.words(name[:-2], moved):
                        board.write(offset, word)
                elif not name.endswith("_2"):
                    board.write(register.offset, value)
        board.write(0, 1)
        board.wait(60)
        self.memory[: whole.size] = whole.memory
        self.registers[0] = 6  # done, idle
