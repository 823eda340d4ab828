"""From a design to its hardware: one module a layer, plus forks, width converters, memory ports and the weights chain.

The rules of the streams are those of `ip_templates/README.md`: a tensor leaves its module with the producer's lanes, is
forked once for every further reader, and is converted to each reader's lanes in front of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flow.ir import Folding, Graph, Node, Shape
from flow.model.curves import rows_of
from flow.model.fifos import with_depths
from flow.model.hardware import Design, Hardware, Module, Partition, PartitionDesign, Port, Stream, Streaming
from flow.model.shares import (
    LoweringError,
    NumbersOf,
    filters_per_pass,
    gathered,
    is_alias,
    narrowed,
    with_filters,
)
from flow.model.weight_memory import (
    BY_DEPTH,
    memory_rows,
    payload_words,
    slot_bits,
    values_per_word,
    weight_rows,
    weights_memory,
)

__all__ = [
    "Boundary",
    "LoweringError",
    "filters_per_pass",
    "is_alias",
    "lower",
    "slot_bits",
    "values_per_word",
    "weight_rows",
]


def lower(graph: Graph, design: Design, numbers: NumbersOf, port_bits: int) -> Hardware:
    """Modules, streams and ports of every partition.

    Args:
        graph: rewritten graph; every node has an IP or is an alias.
        design: partitions, foldings, reloading.
        numbers: formats around a node (only their widths matter to the cost model).
        port_bits: width of a memory port word.

    Raises:
        LoweringError: a node without hardware, an illegal folding or an illegal reloading.
    """
    layout = _Layout(graph, design, numbers, port_bits)
    partitions = tuple(_Builder(layout, index, part).build() for index, part in enumerate(design.partitions))
    return Hardware(design, partitions)


@dataclass(frozen=True, slots=True)
class Boundary:
    """How a tensor lies in memory: channels of one pass, passes, words from pixel to pixel."""

    channels: int
    passes: int
    pixel_stride: int


@dataclass(slots=True)
class _Layout:
    """Facts about the whole design that every partition needs."""

    graph: Graph
    design: Design
    numbers: NumbersOf
    port_bits: int
    shapes: dict[str, Shape] = field(init=False)
    readers: dict[str, tuple[str, ...]] = field(init=False)
    nodes: dict[str, Node] = field(init=False)
    home: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.shapes = self.graph.shapes()
        self.readers = self.graph.consumers()
        self.nodes = self.graph.by_name()
        self.home = {name: i for i, part in enumerate(self.design.partitions) for name in part.nodes}

    def bits(self, tensor: str) -> int:
        """Wordlength of a tensor."""
        if tensor in self.nodes:
            return self.numbers(self.nodes[tensor]).output.bits
        reader = self.nodes[self.readers[tensor][0]]
        return self.numbers(reader).inputs[reader.inputs.index(tensor)].bits

    def boundary(self, tensor: str) -> Boundary:
        """Layout of a tensor that crosses partitions."""
        channels, per_word = self.shapes[tensor][0], values_per_word(self.port_bits, self.bits(tensor))
        if tensor in self.home:
            part = self.design.partitions[self.home[tensor]]
            changed = narrowed(self.graph, part, self.port_bits, self.numbers)
            if tensor in changed:
                share, passes = changed[tensor], part.weights_reloading
                return Boundary(share, passes, passes * math.ceil(share / per_word))
        return Boundary(channels, 1, math.ceil(channels / per_word))


@dataclass(slots=True)
class _Builder:
    """Collects the modules and streams of one partition."""

    layout: _Layout
    index: int
    part: PartitionDesign
    modules: list[Module] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)
    ports: list[Port] = field(default_factory=list)
    taps: dict[str, list[str]] = field(default_factory=dict)
    """Streams of a tensor that wait for a reader."""
    shapes: dict[str, Shape] = field(init=False)
    sliced: dict[str, tuple[str, int]] = field(init=False)
    """Nodes that see slices, as `gathered` has them."""
    repeats: int = 1
    """Slices that what is being made sees."""

    def __post_init__(self) -> None:
        layout = self.layout
        self.sliced = gathered(layout.graph, self.part)
        share = narrowed(layout.graph, self.part, layout.port_bits, layout.numbers)
        self.shapes = {name: (share.get(name, s[0]), *s[1:]) for name, s in layout.shapes.items()}

    def build(self) -> Partition:
        inside = set(self.part.nodes)
        for tensor in self._ordered(i for name in self.part.nodes for i in self.layout.nodes[name].inputs):
            if tensor not in inside:
                self._read(tensor)
        for name in self.part.nodes:
            self._layer(self.layout.nodes[name])
        self._weights_chain()
        self._slices()
        share = self.shapes[self.part.reloaded][0] if self.part.reloaded else 0
        modules = tuple(self.modules)
        streams = self._deep(modules)
        passes = self.part.weights_reloading
        return Partition(self.index, modules, streams, tuple(self.ports), passes, self.part.reloaded, share)

    def _deep(self, modules: tuple[Module, ...]) -> tuple[Stream, ...]:
        """Depths by rule, or as the design has them."""
        if unknown := sorted(set(self.part.fifos) - set(self.streams)):
            raise LoweringError(f"partition {self.index} has no stream '{unknown[0]}'")
        by_rule = with_depths(modules, tuple(self.streams.values()))
        return tuple(replace(s, depth=self.part.fifos.get(s.name, s.depth)) for s in by_rule)

    @staticmethod
    def _ordered(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))

    # Streams

    def _stream(self, tensor: str, lanes: int, bits: int) -> str:
        shape = self.shapes[tensor]
        name = f"s{len(self.streams)}"
        words = math.prod(shape[1:]) * math.ceil(shape[0] / lanes)
        self.streams[name] = Stream(name, lanes, bits, words, tensor, rows=rows_of(shape), repeats=self.repeats)
        return name

    def _module(self, ip: str, node: str, parameters: Mapping[str, int], **ends: Any) -> None:
        name = f"m{len(self.modules)}_{ip}"
        self.modules.append(Module(name, ip, node, parameters, repeats=self.repeats, **ends))

    def _simple(self, tensor: str, lanes: int, bits: int) -> dict[str, int]:
        shape = self.shapes[tensor]
        return {"pixels": math.prod(shape[1:]), "channels": shape[0], "coarse": lanes, "data_bits": bits}

    def _offer(self, tensor: str, stream: str) -> None:
        """Fork a produced stream once for each further reader (inside, or memory for readers outside)."""
        inside = [r for r in self.layout.readers[tensor] if r in self.part.nodes]
        count = len(inside) + int(self._leaves(tensor))
        if count == 0:
            raise LoweringError(f"'{tensor}' is read by nobody")
        lanes, bits = self.streams[stream].lanes, self.streams[stream].bits
        taps = []
        for _ in range(count - 1):
            first, rest = self._stream(tensor, lanes, bits), self._stream(tensor, lanes, bits)
            parameters = self._simple(tensor, lanes, bits)
            self._module("fork", tensor, parameters, inputs=(stream,), outputs=(first, rest))
            taps.append(first)
            stream = rest
        self.taps[tensor] = [*taps, stream]
        if self._leaves(tensor):
            self._write(tensor)

    def _leaves(self, tensor: str) -> bool:
        outside = any(r not in self.part.nodes for r in self.layout.readers[tensor])
        produced_here = tensor in self.part.nodes
        return produced_here and (outside or tensor in self.layout.graph.outputs)

    def _take(self, tensor: str, lanes: int) -> str:
        """The next free stream of a tensor, converted to the reader's lanes."""
        stream = self.streams[self.taps[tensor].pop(0)]
        if stream.lanes == lanes:
            return stream.name
        shape = self.shapes[tensor]
        parameters = {
            "pixels": math.prod(shape[1:]),
            "channels": shape[0],
            "lanes_in": stream.lanes,
            "lanes_out": lanes,
            "data_bits": stream.bits,
        }
        converted = self._stream(tensor, lanes, stream.bits)
        self._module("width_converter", tensor, parameters, inputs=(stream.name,), outputs=(converted,))
        return converted

    # Memory

    def _port(self, direction: str, tensor: str) -> tuple[Port, dict[str, int]]:
        boundary, bits, width = self.layout.boundary(tensor), self.layout.bits(tensor), self.layout.port_bits
        spatial = math.prod(self.shapes[tensor][1:])
        channels = boundary.channels if direction == "out" else self.layout.shapes[tensor][0]
        count = sum(p.direction == direction for p in self.ports)
        frame_words = spatial * boundary.pixel_stride
        name = f"{direction}_{count}"
        port = Port(name, direction, tensor, width, spatial, channels, boundary.pixel_stride, frame_words, bits)
        self.ports.append(port)
        parameters = {
            "pixels": spatial,
            "channels": channels,
            "data_bits": bits,
            "port_bits": width,
            "pixel_stride": boundary.pixel_stride,
        }
        return port, parameters

    def _read(self, tensor: str) -> None:
        port, parameters = self._port("in", tensor)
        stream = self._stream(tensor, values_per_word(port.port_bits, port.bits), port.bits)
        self._module("memory_read", tensor, parameters, outputs=(stream,), port=port.name)
        self._offer(tensor, stream)

    def _write(self, tensor: str) -> None:
        port, parameters = self._port("out", tensor)
        stream = self._take(tensor, values_per_word(port.port_bits, port.bits))
        self._module("memory_write", tensor, parameters, inputs=(stream,), port=port.name)

    # Layers

    def _layer(self, node: Node) -> None:
        sources = [self.shapes[i] for i in node.inputs]
        if is_alias(node, sources[0]):
            lanes = self.streams[self.taps[node.inputs[0]][0]].lanes
            self._offer(node.name, self._renamed(self._take(node.inputs[0], lanes), node.name))
            return
        if not node.op.ip:
            raise LoweringError(f"'{node.name}': there is no hardware for {node.op.name}")
        op = node.op
        if node.name == self.part.reloaded and self.shapes[node.name][0] != node.shape[0]:
            share = self.shapes[node.name][0]
            op = with_filters(op, share)
        streamed, share = self.sliced.get(node.name, ("", 0))
        if streamed:
            op = with_filters(op, share) if streamed == node.name else op
            self.shapes[node.name] = (share, *node.shape[1:])
        folding = self.part.foldings[node.name]
        if not op.legal_folding(folding, sources):
            raise LoweringError(f"'{node.name}': {op.name} cannot be folded by {folding.as_json()}")
        self.repeats = self.part.streaming[streamed].slices if streamed and streamed != node.name else 1
        inputs = [self._take(i, folding.lanes_in) for i in node.inputs]
        if streamed == node.name:
            inputs = [self._replayed(node.inputs[0], inputs[0], self.part.streaming[streamed])]
        if op.name == "concat":
            self._concat(node, folding, inputs)
            return
        numbers = self.layout.numbers(node)
        parameters = op.module_parameters(sources, numbers, folding)
        if op.parameters(sources):
            placement = self.part.placement.get(node.name, BY_DEPTH)
            streaming = self.part.streaming.get(node.name, Streaming(1, 1))
            parameters |= {"slices": streaming.slices, "tile": streaming.tile, "port_bits": self.layout.port_bits}
            parameters["weights_memory"] = int(weights_memory(placement, memory_rows(parameters)))
        out = self._stream(node.name, folding.lanes_out, numbers.output.bits)
        self._module(op.ip, node.name, parameters, inputs=tuple(inputs), outputs=(out,))
        if streamed and self.sliced.get(self._reader(node.name)) == (streamed, share):
            self.taps[node.name] = [out]
        else:
            self._offer(node.name, self._collected(node, out, streamed) if streamed else out)
        self.repeats = 1

    # Slices of streamed weights

    def _reader(self, tensor: str) -> str:
        readers = self.layout.readers[tensor]
        return readers[0] if readers else ""

    def _replayed(self, tensor: str, source: str, streaming: Streaming) -> str:
        """The streamed layer's input, once for every slice."""
        stream = self.streams[source]
        parameters = self._simple(tensor, stream.lanes, stream.bits)
        parameters |= {"slices": streaming.slices, "tile": streaming.tile}
        self.repeats = streaming.slices
        out = self._stream(tensor, stream.lanes, stream.bits)
        self.repeats = 1
        self._module("replay", tensor, parameters, inputs=(source,), outputs=(out,))
        self.repeats = streaming.slices
        return out

    def _collected(self, node: Node, source: str, streamed: str) -> str:
        """The slices of a node's output put together."""
        streaming, stream = self.part.streaming[streamed], self.streams[source]
        share = self.shapes[node.name][0]
        if share % stream.lanes:
            raise LoweringError(f"'{node.name}': {stream.lanes} lanes do not divide the {share} channels of a slice")
        self.shapes[node.name], self.repeats = node.shape, 1
        parameters = self._simple(node.name, stream.lanes, stream.bits)
        parameters |= {"slices": streaming.slices, "tile": streaming.tile}
        out = self._stream(node.name, stream.lanes, stream.bits)
        self._module("collect", node.name, parameters, inputs=(source,), outputs=(out,))
        return out

    def _renamed(self, stream: str, tensor: str) -> str:
        self.streams[stream] = replace(self.streams[stream], tensor=tensor)
        return stream

    def _concat(self, node: Node, folding: Folding, inputs: list[str]) -> None:
        """A chain of two-input modules; what is between them is already in the output's format."""
        numbers = self.layout.numbers(node)
        shapes = [self.shapes[i] for i in node.inputs]
        left, left_shape, left_format = inputs[0], shapes[0], numbers.inputs[0]
        for right, shape, format_ in zip(inputs[1:], shapes[1:], numbers.inputs[1:], strict=True):
            pair = replace(numbers, inputs=(left_format, format_))
            parameters = node.op.module_parameters([left_shape, shape], pair, folding)
            left_shape, left_format = (left_shape[0] + shape[0], *shape[1:]), numbers.output
            self.shapes[node.name] = left_shape
            out = self._stream(node.name, folding.lanes_out, numbers.output.bits)
            self._module("concat", node.name, parameters, inputs=(left, right), outputs=(out,))
            left = out
        self._offer(node.name, left)

    # Weights

    def _weights_chain(self) -> None:
        """One reader; a splitter before every weighted module but the last."""
        weighted = [m for m in self.modules if m.loaded]
        if not weighted:
            return
        width = self.layout.port_bits
        self.ports.append(Port("weights", "weights", "", width))
        source = self._weights_stream()
        self._module("weights_read", "", {"port_bits": width}, outputs=(source,), port="weights")
        feeds = {}
        for position, module in enumerate(weighted):
            later = len(weighted) - position - 1
            if later == 0:
                feeds[module.name] = source
                break
            mine, rest = self._weights_stream(), self._weights_stream()
            parameters = {"port_bits": width, "layers_after": later}
            self._module("weights_split", module.node, parameters, inputs=(source,), outputs=(mine, rest))
            feeds[module.name], source = mine, rest
        self.modules = [replace(m, inputs=(*m.inputs, feeds[m.name])) if m.name in feeds else m for m in self.modules]

    def _slices(self) -> None:
        """A reader of its own for every streamed layer."""
        width = self.layout.port_bits
        feeds = {}
        for count, module in enumerate([m for m in self.modules if m.streamed]):
            words = module.repeats * int(payload_words(module.parameters))
            port = Port(f"slices_{count}", "slices", "", width, frame_words=words)
            self.ports.append(port)
            feeds[module.name] = self._weights_stream()
            parameters = {"port_bits": width, "words": words, "tile": module.parameters["tile"]}
            self._module("slices_read", module.node, parameters, outputs=(feeds[module.name],), port=port.name)
        self.modules = [replace(m, inputs=(*m.inputs, feeds[m.name])) if m.name in feeds else m for m in self.modules]

    def _weights_stream(self) -> str:
        name = f"s{len(self.streams)}"
        self.streams[name] = Stream(name, 1, self.layout.port_bits, 0, "")
        return name
