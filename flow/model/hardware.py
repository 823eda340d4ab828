"""A design, and the hardware that it stands for: modules, streams and memory ports of every partition.

A `Design` is what exploration decides. `flow.model.lowering` turns it into a `Hardware`, which the cost model, the
simulators, the code generator and the report all read: there is one description of what is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flow.ir import Folding


@dataclass(frozen=True, slots=True)
class Streaming:
    """Weights that come from memory while frames pass: `slices` shares of a layer's filters, each for `tile` frames."""

    slices: int
    tile: int


@dataclass(frozen=True, slots=True)
class PartitionDesign:
    """Layers that share one bitstream.

    Attributes:
        nodes: graph nodes in topological order.
        foldings: folding of every node that has a module.
        weights_reloading: passes in which the filters of `reloaded` are processed (1: all at once).
        reloaded: the weighted node whose filters come in passes.
        placement: memory of a node's weights (`flow.model.weight_memory.PLACEMENTS`), where it is not chosen by depth.
        fifos: words that streams hold, by the stream's name, where simulation has found them; the others follow the
            rules of `flow.model.fifos`.
        streaming: nodes whose weights are streamed.
    """

    nodes: tuple[str, ...]
    foldings: Mapping[str, Folding]
    weights_reloading: int = 1
    reloaded: str | None = None
    fifos: Mapping[str, int] = field(default_factory=dict)
    placement: Mapping[str, str] = field(default_factory=dict)
    streaming: Mapping[str, Streaming] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Design:
    """All that exploration decides."""

    network: str
    device: str
    clock_mhz: float
    batch: int
    partitions: tuple[PartitionDesign, ...]

    def as_json(self) -> dict[str, Any]:
        partitions = [
            {
                "nodes": list(p.nodes),
                "foldings": {name: f.as_json() for name, f in p.foldings.items()},
                "weights_reloading": p.weights_reloading,
                "reloaded": p.reloaded,
                "fifos": dict(p.fifos),
                "placement": dict(p.placement),
                "streaming": {n: {"slices": s.slices, "tile": s.tile} for n, s in p.streaming.items()},
            }
            for p in self.partitions
        ]
        return {
            "network": self.network,
            "device": self.device,
            "clock_mhz": self.clock_mhz,
            "batch": self.batch,
            "partitions": partitions,
        }


def design_from_json(data: Mapping[str, Any]) -> Design:
    """Inverse of `Design.as_json`; further keys are ignored."""
    partitions = tuple(
        PartitionDesign(
            tuple(p["nodes"]),
            {name: Folding(**f) for name, f in p["foldings"].items()},
            p["weights_reloading"],
            p["reloaded"],
            p["fifos"],
            p.get("placement", {}),
            {name: Streaming(**s) for name, s in p.get("streaming", {}).items()},
        )
        for p in data["partitions"]
    )
    return Design(data["network"], data["device"], data["clock_mhz"], data["batch"], partitions)


@dataclass(frozen=True, slots=True)
class Module:
    """One process: an instance of an IP.

    Attributes:
        name: C++ identifier, unique in its partition.
        ip: folder in `ip_templates`.
        node: the graph node that it computes, or the tensor that it moves.
        parameters: values of its data sheet's parameters.
        inputs, outputs: names of streams in the order of the IP's arguments.
        port: memory port that it owns, if any.
        repeats: frames that pass it for each of the network's: slices, where weights are streamed.
    """

    name: str
    ip: str
    node: str
    parameters: Mapping[str, int]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    port: str | None = None
    repeats: int = 1

    @property
    def weighted(self) -> bool:
        """Whether it multiplies with weights."""
        return "weights_memory" in self.parameters

    @property
    def loaded(self) -> bool:
        """Whether its weights are loaded by the weights chain, in front of the frames."""
        return self.weighted and self.parameters["slices"] == 1

    @property
    def streamed(self) -> bool:
        """Whether its weights come while frames pass."""
        return self.weighted and self.parameters["slices"] > 1


@dataclass(frozen=True, slots=True)
class Stream:
    """A FIFO between two modules.

    Attributes:
        lanes, bits: values per word and width of each; a weights stream has one lane of `port_bits`.
        words: words per frame (0 for a weights stream).
        repeats: frames that pass for each of the network's: slices, where weights are streamed.
        tensor: tensor that flows, "" for weights.
        depth: words that it holds.
        rows: rows of pixels of a frame, 1 where it has no more than one axis of one pixel.
    """

    name: str
    lanes: int
    bits: int
    words: int
    tensor: str
    depth: int = 2
    rows: int = 1
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Port:
    """A memory port of a partition.

    Attributes:
        name: argument of the top function (`in_0`, `out_0`, `weights`, `slices_0`).
        direction: in | out | weights (loaded in front of the frames) | slices (of weights that are streamed).
        tensor: boundary tensor, "" for weights.
        pixels, channels: of the tensor in one pass.
        pixel_stride: port words from one pixel to the next.
        frame_words: port words of one frame in memory; of `slices`, of all of them.
        bits: width of one value.
    """

    name: str
    direction: str
    tensor: str
    port_bits: int
    pixels: int = 0
    channels: int = 0
    pixel_stride: int = 0
    frame_words: int = 0
    bits: int = 0

    @property
    def busy(self) -> bool:
        """Whether it moves words while frames pass."""
        return self.direction != "weights"


@dataclass(frozen=True, slots=True)
class Partition:
    """The hardware of one bitstream."""

    index: int
    modules: tuple[Module, ...]
    streams: tuple[Stream, ...]
    ports: tuple[Port, ...]
    passes: int
    reloaded: str | None
    filters_per_pass: int

    @property
    def masters(self) -> int:
        """Ports that share the memory while frames pass."""
        return sum(p.busy for p in self.ports)

    def stream(self, name: str) -> Stream:
        return next(s for s in self.streams if s.name == name)

    def producers(self) -> dict[str, Module]:
        return {name: m for m in self.modules for name in m.outputs}

    def consumers(self) -> dict[str, Module]:
        return {name: m for m in self.modules for name in m.inputs}


@dataclass(frozen=True, slots=True)
class Hardware:
    """All partitions of a design."""

    design: Design
    partitions: tuple[Partition, ...] = field(default_factory=tuple)
