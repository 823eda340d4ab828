"""The one interface between the schedule and whatever runs it: buffers, configuration, start and wait."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Mapping, Union

import numpy as np

Bytes = Any  # numpy.ndarray of uint8; numpy's own generic does not exist on the boards' Python


class Buffer(ABC):
    """Memory that host and device share, contiguous for the device.

    Attributes:
        array: the host's view, uint8.
    """

    array: Bytes

    @property
    def size(self) -> int:
        return int(self.array.nbytes)

    @abstractmethod
    def flush(self, offset: int, size: int) -> None:
        """Make what the host has written visible to the device."""

    @abstractmethod
    def invalidate(self, offset: int, size: int) -> None:
        """Make what the device has written visible to the host."""


@dataclass(frozen=True)
class Pointer:
    """A place in a buffer, in bytes from its start, and how many bytes the device uses from there."""

    buffer: Buffer
    offset: int
    size: int

    @property
    def array(self) -> Bytes:
        return self.buffer.array[self.offset : self.offset + self.size]

    def flush(self) -> None:
        self.buffer.flush(self.offset, self.size)

    def invalidate(self) -> None:
        self.buffer.invalidate(self.offset, self.size)


Argument = Union[int, Pointer]
Arguments = Mapping[str, Argument]


@dataclass(frozen=True)
class PartitionFiles:
    """What a board needs to know of a partition.

    Attributes:
        name: of its top function, module and kernel.
        arguments: names of all arguments, in the order of the top function.
        pointers: those that are addresses.
        identity: in the bitstream's header; "" where the tools keep none.
    """

    name: str
    folder: str
    arguments: tuple[str, ...]
    pointers: tuple[str, ...]
    identity: str


class Board(ABC):
    """A board, or what stands in for one.

    Attributes:
        one_memory: whether any buffer serves any argument; otherwise each tensor needs a buffer of its own.
        patience: how much longer than hardware a partition may take before it counts as stuck.
    """

    one_memory = True
    patience = 1.0

    @abstractmethod
    def configure(self, partition: PartitionFiles) -> None:
        """Load a partition's full bitstream; buffers keep their contents."""

    @abstractmethod
    def allocate(self, size: int, argument: str) -> Buffer:
        """A buffer that the configured partition can reach through this argument. HOST009 if there is no room."""

    @abstractmethod
    def start(self, arguments: Arguments) -> None:
        """Start the configured partition with all of its arguments by name. HOST011 if it is still busy."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Until it has finished. HOST010 if that takes longer than `seconds`."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""


def as_bytes(memory: Any) -> Bytes:
    """A writable view of a buffer object."""
    return np.frombuffer(memory, np.uint8)
