"""The schedule, batch by batch, on whatever board there is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

import numpy as np

from .device import Argument, Board, Buffer, Pointer
from .errors import HostError
from .places import lasting, needs_of, places, total
from .plan import Partition, Plan, Step, Weights
from .weights import WeightFiles, streamed

_LEAST_PATIENCE_S = 1.0


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        integers: of every output, (N, C, *spatial).
        seconds: from the first configuration to the last output; `configurations` and `passes` that ran.
    """

    integers: Mapping[str, Any]
    seconds: float
    configurations: int
    passes: int


class Runner:
    """Runs a plan on a board.

    Args:
        batch: frames of a batch; 0 takes the schedule's.
        time_out_s: what a pass may take; None takes ten times what hardware would need.
    """

    def __init__(self, plan: Plan, board: Board, batch: int = 0, time_out_s: float | None = None) -> None:
        if not 0 <= batch <= plan.most_frames:
            hint = f"1 to {plan.most_frames}; the schedule has {plan.batch}"
            raise HostError("HOST007", f"a batch of {batch} frames", hint)
        self._plan = plan
        self._board = board
        self._batch = batch or plan.batch
        self._time_out_s = time_out_s
        self._configured: int | None = None
        self._tensors: dict[str, Pointer] = {}
        self._weights_buffer: Buffer | None = None
        self._slices: dict[str, Pointer] = {}
        self._files = WeightFiles(plan.folder)
        self._configurations = self._passes = 0

    def run(self, frames: Mapping[str, Any]) -> Result:
        """Integers (N, C, *spatial) of every input, N the same for all; batches as large as may be."""
        count = self._check(frames)
        outputs: dict[str, list[Any]] = {name: [] for name in self._plan.outputs}
        start = time.monotonic()
        self._batch = min(self._batch, count)
        for number, piece in enumerate(_pieces(count, self._batch)):
            given = {name: values[piece] for name, values in frames.items()}
            for name, values in self._run_batch(given, piece.stop - piece.start, number == 0).items():
                outputs[name].append(values)
        seconds = time.monotonic() - start
        joined = {name: np.concatenate(parts) for name, parts in outputs.items()}
        return Result(joined, seconds, self._configurations, self._passes)

    def _check(self, frames: Mapping[str, Any]) -> int:
        counts: set[int] = set()
        for tensor in self._plan.inputs:
            count, *shape = frames[tensor.name].shape if tensor.name in frames else (0,)
            if tuple(shape) != tensor.layout.shape or not count:
                message = f"input {tensor.name!r} takes frames of shape {tensor.layout.shape}, not {tuple(shape)}"
                raise HostError("HOST007", message)
            counts.add(int(count))
        if len(counts) != 1:
            raise HostError("HOST007", f"inputs have different numbers of frames: {sorted(counts)}")
        return counts.pop()

    def _run_batch(self, given: Mapping[str, Any], frames: int, first: bool) -> Mapping[str, Any]:
        plan, waiting = self._plan, True
        for step in plan.steps if first else plan.further:
            if step.action == "configure":
                self._configure(step)
                continue
            if waiting:  # buffers are taken from the configured board, and filled before anything runs
                self._take_memory(step)
                self._fill(given)
                waiting = False
            self._pass(step, frames)
        return {name: self._output(name, frames) for name in plan.outputs}

    def _configure(self, step: Step) -> None:
        self._configured = None
        self._board.configure(self._plan.partitions[step.partition].files)
        self._configured = step.partition
        self._configurations += 1

    def _pass(self, step: Step, frames: int) -> None:
        if step.partition != self._configured:
            message = f"a pass of partition {step.partition}, but {self._configured} is configured"
            raise HostError("HOST005", message, "the schedule's steps are not in their order")
        partition = self._plan.partitions[step.partition]
        values: dict[str, Argument] = {}
        for name, kind in partition.kinds.items():
            values[name] = self._value(step, partition, name, kind, frames)
        self._board.start(values)
        hardware_s = partition.frame_s * frames + partition.load_s
        patience = max(_LEAST_PATIENCE_S, 10 * hardware_s) * self._board.patience
        self._board.wait(patience if self._time_out_s is None else self._time_out_s)
        self._passes += 1

    def _value(self, step: Step, partition: Partition, name: str, kind: str, frames: int) -> Argument:
        if kind == "pointer":
            port = partition.ports[name]
            if port in step.ports:
                return self._tensor(step.ports[port], frames)
            return self._streamed(partition.slices[port]) if port in step.slices else self._load(step, partition)
        return {"frames": frames, "tile": step.tile, "words": step.load.words}[kind]

    def _tensor(self, name: str, frames: int) -> Pointer:
        whole, size = self._tensors[name], frames * self._plan.tensors[name].layout.frame_bytes
        if whole.size < size:
            raise HostError("HOST006", f"{frames} frames of {name!r} take {size} bytes, its buffer has {whole.size}")
        return Pointer(whole.buffer, whole.offset, size)

    def _streamed(self, weights: Weights) -> Pointer:
        """Where a file of streamed weights lies."""
        pointer = self._slices[weights.file]
        if pointer.size < weights.size:
            raise HostError("HOST006", f"{weights.file} takes {weights.size} bytes, its buffer has {pointer.size}")
        return pointer

    def _load(self, step: Step, partition: Partition) -> Pointer:
        """Weights of the pass in the weights' buffer, for the device to see."""
        weights, load, buffer = self._files.content(step.partition, partition.weights), step.load, self._weights_buffer
        if load.offset + load.size > len(weights):
            raise HostError("HOST004", f"{partition.weights.file} ends before the weights of pass {step.tile}")
        if buffer is None or buffer.size < load.size:
            raise HostError(
                "HOST006", f"the weights of pass {step.tile} take {load.size} bytes, more than their buffer"
            )
        pointer = Pointer(buffer, 0, load.size)
        pointer.array[:] = weights[load.offset : load.offset + load.size]
        pointer.flush()
        return pointer

    def _take_memory(self, step: Step) -> None:
        if self._tensors:
            return
        plan, partition = self._plan, self._plan.partitions[step.partition]
        longest = max(p.weights.longest for p in plan.partitions)
        if longest:
            others = {*step.ports, *step.slices}
            named = (n for n in partition.files.pointers if partition.ports[n] not in others)
            self._weights_buffer = self._board.allocate(longest, next(named, partition.files.pointers[0]))
        if self._board.one_memory:
            self._take_one_piece(partition.files.pointers[0])
        else:
            self._take_buffers(step, partition)
        for index, weights in streamed(self._plan):  # they never change, so once is enough
            pointer = self._slices[weights.file]
            pointer.array[:] = self._files.content(index, weights)
            pointer.flush()

    def _take_one_piece(self, argument: str) -> None:
        """Streamed weights of all partitions, tensors behind them."""
        starts, front = lasting({w.file: w.size for _, w in streamed(self._plan)})
        found = places(needs_of(self._plan), self._batch)
        arena = self._board.allocate(front + total(found), argument)
        self._slices = {w.file: Pointer(arena, starts[w.file], w.size) for _, w in streamed(self._plan)}
        self._tensors = {n: Pointer(arena, front + p.start, p.end - p.start) for n, p in found.items()}

    def _take_buffers(self, step: Step, partition: Partition) -> None:
        """A buffer for every argument of the one partition."""
        argument = {partition.ports[name]: name for name in partition.files.pointers}
        for port, weights in partition.slices.items():
            buffer = self._board.allocate(weights.size, argument[port])
            self._slices[weights.file] = Pointer(buffer, 0, weights.size)
        behind = {tensor: port for port, tensor in step.ports.items()}
        for name, tensor in self._plan.tensors.items():
            size = self._batch * tensor.layout.frame_bytes
            self._tensors[name] = Pointer(self._board.allocate(size, argument[behind[name]]), 0, size)

    def _fill(self, given: Mapping[str, Any]) -> None:
        for tensor in self._plan.inputs:
            values = given[tensor.name]
            pointer = self._tensor(tensor.name, len(values))
            tensor.layout.pack(values, pointer.array)
            pointer.flush()

    def _output(self, name: str, frames: int) -> Any:
        pointer = self._tensor(name, frames)
        pointer.invalidate()
        return self._plan.tensors[name].layout.unpack(pointer.array, frames)


def _pieces(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
