"""What a host does: which bitstream, which invocations with which memory, in which order.

The schedule of a batch: partition after partition is configured; each runs its passes over all frames of the batch,
its weights coming from the partition's file. `steady_state` is what every further batch takes: with one partition
nothing is configured again, and only what a pass overwrote is loaded again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.fixed_point import Format
from flow.generate.blobs import Blob, plan, streamed
from flow.generate.tensors import TensorLayout, layout_of_port
from flow.ir import Shape
from flow.model.hardware import Hardware, Partition
from flow.model.memory import Stored, overlaid, overlay, stored_tensors
from flow.numerics import Realised

MAX_PASSES = 1 << 12
MAX_FRAMES = (1 << 20) - 1
"""The in-band header counts passes in 12 bits and frames in 20; of a streamed layer, once for every slice."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A tensor in memory.

    Attributes:
        role: input | output | intermediate.
        shape: (C, *spatial) of a frame.
        pixel_stride: port words from pixel to pixel; frame_bytes: size of a frame.
        in_place_of: a tensor whose memory it takes: its frame lies where the other's frame before it has been read; ""
            where it lies on its own.
        bits, exponent: number format; a value lies sign-extended in a slot of 8, 16 or 32 bits.
    """

    tensor: str
    role: str
    shape: Shape
    pixel_stride: int
    frame_bytes: int
    bits: int
    exponent: int
    port_bits: int
    in_place_of: str = ""

    @property
    def layout(self) -> TensorLayout:
        return TensorLayout(self.shape, self.pixel_stride, self.bits, self.port_bits)


@dataclass(frozen=True, slots=True)
class Step:
    """`configure` the device with a partition, or `run` a pass of it.

    Attributes:
        frames: frames of the invocation.
        ports: tensor behind each memory port.
        weights_file: relative to the build folder, "" where the partition loads no weights; the rest is in `blob`.
        slices: files behind the ports of streamed weights, whole.
    """

    action: str
    partition: int
    tile: int = 0
    frames: int = 0
    ports: Mapping[str, str] | None = None
    weights_file: str = ""
    blob: Blob | None = None
    slices: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        if self.action == "configure":
            return {"action": self.action, "partition": self.partition}
        weights = None
        if self.blob is not None:
            weights = {
                "file": self.weights_file,
                "load": self.blob.load,
                "offset_words": self.blob.offset,
                "words": self.blob.words,
            }
        return {
            "action": self.action,
            "partition": self.partition,
            "tile": self.tile,
            "frames": self.frames,
            "ports": dict(self.ports or {}),
            "weights": weights,
            "slices": dict(self.slices or {}),
        }


@dataclass(frozen=True, slots=True)
class Schedule:
    """Buffers, the steps of the first batch and those of every further one."""

    network: str
    batch: int
    buffers: tuple[Buffer, ...]
    steps: tuple[Step, ...]
    steady_state: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "batch": self.batch,
            "buffers": [asdict(b) for b in self.buffers],
            "steps": [s.as_json() for s in self.steps],
            "steady_state": [s.as_json() for s in self.steady_state],
        }

    def buffer(self, tensor: str) -> Buffer:
        return next(b for b in self.buffers if b.tensor == tensor)


def schedule(hardware: Hardware, realised: Realised, frames: int = 0) -> Schedule:
    """Schedule of a batch of `frames` (0: the design's). GEN021 where the stream's header cannot count them."""
    frames = frames or hardware.design.batch
    most = most_frames(hardware)
    if not 1 <= frames <= most:
        raise BuildError(Problem("GEN021", f"a batch of {frames} frames: an invocation takes 1 to {most}"))
    for part in hardware.partitions:
        if part.passes > MAX_PASSES:
            raise BuildError(Problem("GEN021", f"'{part.reloaded}' in {part.passes} passes: at most {MAX_PASSES}"))
    resident = len(hardware.partitions) == 1
    first = [s for p in hardware.partitions for s in _steps(p, frames, resident, first=True)]
    later = [s for p in hardware.partitions for s in _steps(p, frames, resident, first=not resident)]
    buffers = _buffers(hardware, realised, frames)
    return Schedule(hardware.design.network, frames, buffers, tuple(first), tuple(later))


def most_frames(hardware: Hardware) -> int:
    """Frames of the largest batch: the header counts each of them once a slice behind streamed weights."""
    return MAX_FRAMES // max(m.repeats for p in hardware.partitions for m in p.modules)


def weights_file(partition: int) -> str:
    """Path of a partition's weights below the build folder."""
    return f"weights/p{partition}.bin"


def slices_file(partition: int, port: str) -> str:
    """Path of a streamed layer's weights below the build folder."""
    return f"weights/p{partition}_{port}.bin"


def _steps(partition: Partition, frames: int, resident: bool, first: bool) -> list[Step]:
    """Configuration and passes of one partition; not `first`: it is configured and holds the weights of a batch."""
    blobs = {(b.tile, b.load): b for b in plan(partition, resident)}
    steps = [Step("configure", partition.index)] if first else []
    ports = {p.name: p.tensor for p in partition.ports if p.direction in ("in", "out")}
    slices = {port: slices_file(partition.index, port) for port in streamed(partition)}
    for tile in range(partition.passes):
        load = "all" if first and tile == 0 else "reloaded" if partition.passes > 1 else "none"
        file = weights_file(partition.index) if blobs else ""
        steps.append(Step("run", partition.index, tile, frames, ports, file, blobs.get((tile, load)), slices))
    return steps


def _buffers(hardware: Hardware, realised: Realised, frames: int) -> tuple[Buffer, ...]:
    """One buffer a tensor, in the order in which they are first used."""
    graph = realised.graph
    stored = stored_tensors(hardware, graph.outputs)
    places = dict(pair for part in hardware.partitions if (pair := _overlay(part, stored, frames)) is not None)
    shapes, inputs = graph.shapes(), {name for name, _ in graph.inputs}
    buffers: dict[str, Buffer] = {}
    for port in (p for part in hardware.partitions for p in part.ports if p.direction in ("in", "out")):
        layout = layout_of_port(port, shapes[port.tensor])
        known = buffers.get(port.tensor)
        if known is not None and known.layout != layout:
            raise BuildError(Problem("GEN022", f"'{port.tensor}' is written and read in different layouts"))
        role = "input" if port.tensor in inputs else "output" if port.tensor in graph.outputs else "intermediate"
        exponent = tensor_format(realised, port.tensor).exponent
        stride = port.pixel_stride
        buffers[port.tensor] = Buffer(
            port.tensor, role, layout.shape, stride, layout.frame_bytes, port.bits, exponent, port.port_bits,
            places.get(port.tensor, ""),
        )  # fmt: skip
    return tuple(buffers.values())


def _overlay(part: Partition, stored: Mapping[str, Stored], frames: int) -> tuple[str, str] | None:
    """The pair that shares memory, where that saves any."""
    pair = overlay(part, stored)
    if pair is None or not overlaid(stored[pair[1]].frame_bytes, stored[pair[0]].frame_bytes, frames)[0]:
        return None
    return pair


def tensor_format(realised: Realised, tensor: str) -> Format:
    """Number format of a tensor: its producer's output, or for a graph input what its first reader expects."""
    nodes = realised.graph.by_name()
    if tensor in nodes:
        return realised.numbers(nodes[tensor]).output
    reader = nodes[realised.graph.consumers()[tensor][0]]
    return realised.numbers(reader).inputs[reader.inputs.index(tensor)]
