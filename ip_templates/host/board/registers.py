"""Boards whose partitions are started through AXI4-Lite registers (UG1399, "S_AXILITE Control Register Map")."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path

from .description import DONE, IDLE, START, Description, read_description
from .device import Argument, Arguments, Board, Buffer, PartitionFiles
from .errors import HostError

_LONGEST_NAP_S = 0.005


class AddressedBuffer(Buffer):
    """A buffer that the device knows by its physical address."""

    address: int


class RegisterBoard(Board):
    """Start and wait by registers; what reads and writes them, and loads bitstreams, is left open.

    Every offset comes from the hardware description beside the bitstream.
    """

    def __init__(self, files: Path) -> None:
        """`files`: folder with `p<i>/<partition>.bit` and `.hwh`."""
        self.files = files
        self.description: Description | None = None

    @abstractmethod
    def load(self, partition: PartitionFiles, description: Description) -> None:
        """Load the bitstream and open the registers."""

    @abstractmethod
    def read(self, offset: int) -> int:
        """A 32-bit register."""

    @abstractmethod
    def write(self, offset: int, value: int) -> None:
        """A 32-bit register."""

    def configure(self, partition: PartitionFiles) -> None:
        description = read_description(self.path(partition, ".hwh"), partition.name)
        for argument in partition.arguments:  # before the device is touched
            description.words(argument, 0)
        self.description = None
        self.load(partition, description)
        self.description = description

    def path(self, partition: PartitionFiles, suffix: str) -> Path:
        return self.files / partition.folder / (partition.name + suffix)

    def start(self, arguments: Arguments) -> None:
        description = self._configured()
        offset, idle = description.control(IDLE)
        if not self.read(offset) & idle:
            raise HostError("HOST011", f"{description.partition} is still busy")
        for name, value in arguments.items():
            for place, word in description.words(name, self._value(name, value)):
                self.write(place, word)
        offset, start = description.control(START)
        self.write(offset, start)

    def wait(self, seconds: float) -> None:
        """Polls: the flag of the end is cleared by reading it, so it is seen once."""
        description = self._configured()
        offset, done = description.control(DONE)
        end, nap = time.monotonic() + seconds, 0.0
        while True:
            late = time.monotonic() > end  # before the look, so that a slow look is not the partition's fault
            control = self.read(offset)
            if control & done:
                return
            if late:
                message = (
                    f"{description.partition} has not finished within {seconds:.3g} s: control register {control:#x}"
                )
                raise HostError("HOST010", message, "is its clock running, are bitstream and memory the right ones?")
            time.sleep(nap)
            nap = min(_LONGEST_NAP_S, 2 * nap + 1e-5)

    def _configured(self) -> Description:
        if self.description is None:
            raise HostError("HOST005", "no partition is configured")
        return self.description

    @staticmethod
    def _value(name: str, value: Argument) -> int:
        if isinstance(value, int):
            return value
        if not isinstance(value.buffer, AddressedBuffer):
            raise HostError("HOST006", f"{name} is no buffer of this board")
        return value.buffer.address + value.offset
