"""Small networks with hand-made foldings and partitions, in integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import flow.operators  # noqa: F401 - registers the operators
from flow.ir import Folding, Graph, Node, Operator, Shape, Stored, verify
from flow.model.hardware import Design, Hardware, PartitionDesign, Streaming
from flow.model.lowering import lower
from flow.numerics import Realised, quantise, seeded_frames
from flow.operators.add import Add
from flow.operators.concat import Concat
from flow.operators.convolution import Conv
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from flow.operators.multiply import Multiply
from flow.operators.pool import Pool
from flow.operators.sigmoid import Sigmoid

Layer = tuple[str, Operator, tuple[str, ...], Folding]


@dataclass(frozen=True)
class Sample:
    """A network, its integers and its hardware."""

    graph: Graph
    realised: Realised
    hardware: Hardware

    def frames(self, count: int) -> dict[str, np.ndarray]:
        """Integer input frames."""
        name, shape = self.graph.inputs[0]
        return self.realised.quantise_frames({name: seeded_frames(shape, count, 7, "test")})


def conv(filters: int, kernel: int | tuple[int, ...], stride: int = 1, pad: int = 0, **others: object) -> Conv:
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    rank = len(size)
    return Conv(filters, size, (stride,) * rank, (pad,) * rank, (pad,) * rank, (1,) * rank, **others)  # type: ignore[arg-type]


def pool(kind: str, size: int, stride: int, pad: int = 0, **others: bool) -> Pool:
    return Pool(kind, (size, size), (stride, stride), (pad, pad), (pad, pad), **others)


def one(lanes: int) -> Folding:
    return Folding(lanes, lanes)


def sample(
    layers: Sequence[Layer],
    shape: Shape,
    *,
    cuts: Sequence[int] = (),
    passes: int = 1,
    streaming: Mapping[str, Streaming] | None = None,
    bits: int = 16,
    port_bits: int = 64,
    batch: int = 2,
) -> Sample:
    """`cuts`: layers in front of which a partition begins; `passes` of the last weighted layer of the last one.

    `streaming`: layers whose weights are streamed.
    """
    graph = _graph(layers, shape)
    realised = quantise(graph, lambda _name, _op: (bits, bits), seeded_frames(shape, 4, 1))
    foldings = {name: folding for name, _, _, folding in layers}
    bounds = [0, *cuts, len(layers)]
    parts = []
    for start, stop in pairwise(bounds):
        names = tuple(name for name, *_ in layers[start:stop])
        last = stop == len(layers) and passes > 1
        weighted = [n for n, op, *_ in layers[start:stop] if isinstance(op, Conv | Gemm)]
        folding = {n: foldings[n] for n in names}
        streamed = {n: s for n, s in (streaming or {}).items() if n in names}
        reloaded = (passes, weighted[-1]) if last else (1, None)
        parts.append(PartitionDesign(names, folding, *reloaded, streaming=streamed))
    design = Design("sample", "none", 100.0, batch, tuple(parts))
    return Sample(graph, realised, lower(graph, design, realised.numbers, port_bits))


def _graph(layers: Sequence[Layer], shape: Shape) -> Graph:
    random = np.random.default_rng(3)
    shapes: dict[str, Shape] = {"x": shape}
    nodes, weights = [], {}
    for name, op, inputs, _ in layers:
        sources = [shapes[i] for i in inputs]
        shapes[name] = op.output_shape(sources)
        nodes.append(Node(name, op, inputs, shapes[name], f"sample#{name}"))
        for parameter, size in op.parameters(sources).items():
            fan_in = int(np.prod(size[1:])) or 1
            weights[f"{name}/{parameter}"] = Stored(random.normal(0, fan_in**-0.5, size).astype(np.float32))
    graph = Graph("sample", (("x", shape),), (layers[-1][0],), tuple(nodes), weights)
    verify(graph)
    return graph


def one_convolution(**options: int) -> Sample:
    return sample([("c", conv(6, 3, pad=1, activation="relu"), ("x",), Folding(2, 4, 1, 2))], (3, 6, 5), **options)


def classifier(**options: int) -> Sample:
    """Convolution, pooling, inner product; no folding divides its channels."""
    layers: list[Layer] = [
        ("c", conv(5, 3, pad=1, activation="relu"), ("x",), Folding(2, 3, 1, 4)),
        ("p", pool("max", 2, 2), ("c",), one(2)),
        ("g", Gemm(7), ("p",), Folding(3, 2)),
    ]
    return sample(layers, (3, 8, 6), **options)


def residual(cuts: Sequence[int] = (), **options: int) -> Sample:
    """A skip connection around a convolution, and a fork in front of it."""
    layers: list[Layer] = [
        ("a", conv(4, 3, pad=1, activation="relu"), ("x",), Folding(1, 2, 1, 3)),
        ("b", conv(4, 3, pad=1), ("a",), Folding(2, 2, 1, 9)),
        ("s", Add("relu"), ("b", "a"), one(4)),
        ("v", GlobalPool("average"), ("s",), one(1)),
        ("g", Gemm(5), ("v",), Folding(2, 5)),
    ]
    return sample(layers, (2, 5, 5), cuts=cuts, **options)


def concatenation(**options: int) -> Sample:
    """Three branches of one tensor stacked: two forks, a chain of two concatenations."""
    layers: list[Layer] = [
        ("a", conv(4, 1, activation="relu"), ("x",), Folding(2, 2)),
        ("b", conv(6, 3, pad=1), ("x",), Folding(2, 2, 1, 2)),
        ("p", pool("average", 3, 1, 1), ("x",), one(2)),
        ("k", Concat(), ("a", "b", "p"), one(2)),
        ("g", conv(3, 1), ("k",), Folding(4, 3)),
    ]
    return sample(layers, (2, 4, 5), **options)


def excitation(cuts: Sequence[int] = (), **options: int) -> Sample:
    """Squeeze and excitation inside a skip connection, as in EfficientNet."""
    silu = Sigmoid("logistic", True)
    layers: list[Layer] = [
        ("e", conv(6, 1), ("x",), Folding(2, 3)),
        ("es", silu, ("e",), one(2)),
        ("d", conv(6, 3, 1, 1, groups=6), ("es",), Folding(1, 1, 3, 3)),
        ("ds", silu, ("d",), one(3)),
        ("v", GlobalPool("average"), ("ds",), one(1)),
        ("q", conv(2, 1), ("v",), Folding(2, 1)),
        ("qs", silu, ("q",), one(1)),
        ("r", conv(6, 1), ("qs",), Folding(1, 2)),
        ("rs", Sigmoid("hard", False, 0.2, 0.5), ("r",), one(2)),
        ("m", Multiply(), ("ds", "rs"), one(2)),
        ("p", conv(3, 1), ("m",), Folding(2, 3)),
        ("s", Add(), ("p", "x"), one(1)),
    ]
    return sample(layers, (3, 5, 6), cuts=cuts, **options)


def depthwise(**options: int) -> Sample:
    """A separable convolution with clipped activations: whole groups in parallel, then a 1×1 convolution."""
    clip = {"activation": "clip", "low": 0.0, "high": 6.0}
    layers: list[Layer] = [
        ("e", conv(8, 1, **clip), ("x",), Folding(3, 4)),
        ("d", conv(8, 3, 2, 1, groups=8, **clip), ("e",), Folding(1, 1, 4, 3)),
        ("q", conv(4, 1), ("d",), Folding(4, 2)),
    ]
    return sample(layers, (3, 6, 6), **options)


def reloaded(passes: int = 3, **options: int) -> Sample:
    """The last convolution's 10 filters in passes, a pool behind it; a second partition reads all of its channels."""
    layers: list[Layer] = [
        ("a", conv(4, 3, pad=1, activation="relu"), ("x",), Folding(2, 2)),
        ("b", conv(10, 3, pad=1), ("a",), Folding(2, 3, 1, 3)),
        ("p", pool("max", 2, 2), ("b",), one(2)),
    ]
    return sample(layers, (2, 6, 6), passes=passes, **options)


def streamed(tile: int = 2, **options: int) -> Sample:
    """Streamed weights in the middle, with a pool that sees slices and a skip around them, and at the end."""
    layers: list[Layer] = [
        ("a", conv(6, 3, pad=1, activation="relu"), ("x",), Folding(2, 2)),
        ("b", conv(6, 3, pad=1, activation="relu"), ("a",), Folding(2, 1, 1, 3)),
        ("s", Add(), ("b", "a"), one(2)),
        ("c", conv(6, 3), ("s",), Folding(3, 1, 1, 9)),
        ("p", pool("max", 2, 2), ("c",), one(1)),
        ("g", Gemm(8), ("p",), Folding(3, 2)),
    ]
    streaming = {"b": Streaming(3, 1), "c": Streaming(2, tile), "g": Streaming(4, tile + 1)}
    return sample(layers, (2, 6, 6), streaming=streaming, **options)
