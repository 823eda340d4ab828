"""Accelerator cards through XRT's Python binding: kernel, arguments and banks as the .xclbin describes them.

XRT places arguments by the kernel's own metadata, so no register is touched here. A tensor's buffer lies in the bank
that the link gave its argument.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .device import Arguments, Board, Buffer, PartitionFiles, Pointer, as_bytes
from .errors import HostError


class XrtBuffer(Buffer):
    """A buffer object of XRT: a host copy and a device copy."""

    def __init__(self, xrt: Any, memory: Any) -> None:
        self._directions = xrt.xclBOSyncDirection
        self.memory = memory
        self.array = as_bytes(memory.map())

    def flush(self, offset: int, size: int) -> None:
        self.memory.sync(self._directions.XCL_BO_SYNC_BO_TO_DEVICE, size, offset)

    def invalidate(self, offset: int, size: int) -> None:
        self.memory.sync(self._directions.XCL_BO_SYNC_BO_FROM_DEVICE, size, offset)


class XrtBoard(Board):
    """A card. Loading another .xclbin does not keep its memory, so the schedule has one partition."""

    one_memory = False

    def __init__(self, files: Path, index: int = 0) -> None:
        try:
            import pyxrt
        except ImportError as error:
            hint = "source setup.sh of XRT, or install its Python binding"
            raise HostError("HOST008", "the package pyxrt is not installed", hint) from error
        self._xrt: Any = pyxrt
        self._files = files
        self._device: Any = pyxrt.device(index)
        self._partition: PartitionFiles | None = None
        self._kernel: Any = None
        self._run: Any = None

    def configure(self, partition: PartitionFiles) -> None:
        path = self._files / partition.folder / f"{partition.name}.xclbin"
        if not path.is_file():
            hint = "link the kernel: v++ --link --target hw --config link.cfg"
            raise HostError("HOST001", f"no {path}", hint)
        described = {k.get_name(): k.get_num_args() for k in self._xrt.xclbin(str(path)).get_kernels()}
        if described.get(partition.name) != len(partition.arguments):
            message = f"{path.name} has no kernel {partition.name} of {len(partition.arguments)} arguments: {described}"
            raise HostError("HOST002", message)
        identity = self._device.load_xclbin(str(path))
        self._kernel = self._xrt.kernel(self._device, identity, partition.name)
        self._partition = partition

    def allocate(self, size: int, argument: str) -> XrtBuffer:
        bank = self._kernel.group_id(self._configured().arguments.index(argument))
        try:
            memory = self._xrt.bo(self._device, size, self._xrt.bo.flags.normal, bank)
        except RuntimeError as error:
            raise HostError(
                "HOST009", f"no {size} bytes in bank {bank}: {error}", "run with a smaller --batch"
            ) from error
        return XrtBuffer(self._xrt, memory)

    def start(self, arguments: Arguments) -> None:
        self._run = self._xrt.run(self._kernel)
        for index, name in enumerate(self._configured().arguments):
            value = arguments[name]
            self._run.set_arg(index, self._memory(name, value) if isinstance(value, Pointer) else value)
        self._run.start()

    def wait(self, seconds: float) -> None:
        state = self._run.wait(max(1, round(1000 * seconds)))
        if state != self._xrt.ert_cmd_state.ERT_CMD_STATE_COMPLETED:
            name = self._configured().name
            raise HostError("HOST010", f"{name} has not finished within {seconds:.3g} s: {state}")

    def close(self) -> None:
        self._run = self._kernel = None

    def _memory(self, name: str, pointer: Pointer) -> Any:
        if not isinstance(pointer.buffer, XrtBuffer) or pointer.offset:
            raise HostError("HOST006", f"{name} is not a buffer of its own on this card")
        return pointer.buffer.memory

    def _configured(self) -> PartitionFiles:
        if self._partition is None:
            raise HostError("HOST005", "no partition is configured")
        return self._partition
