"""Networks and foldings drawn from a seed: what the models are compared over, and what tests draw from.

Chains of convolutions (grouped, depthwise, strided, 1 × 1, rectangular), pooling, skips (nested ones, too),
concatenations and dense blocks on frames of any shape, cut into partitions here and there. Foldings are either any
legal ones or near one pace; some memories are too slow for the design.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.ir import Folding, Graph, Node, Operator, Recipe, Shape
    from flow.model.hardware import Design, Hardware, PartitionDesign
    from flow.model.memory import MemorySystem
    from flow.spec import Precision

CLOCK_MHZ = 125.0
ATTEMPTS = 24
"""Foldings that are drawn for a layer; the one nearest to the pace is taken."""


@dataclass(frozen=True, slots=True)
class RandomDesign:
    """A drawn design.

    Attributes:
        kinds: what its layers are (`grouped`, `strided`, `skip`, …).
        memory: of the board that it would stand on.
    """

    seed: int
    graph: Graph
    design: Design
    precision: Precision
    memory: MemorySystem
    kinds: frozenset[str]

    def hardware(self) -> Hardware:
        """Lowered by widths alone; FIFO depths follow the rules."""
        from flow.model.lowering import lower
        from flow.model.widths import numbers_of_widths

        return lower(self.graph, self.design, numbers_of_widths(self.graph, self.precision), self.memory.port_bits)


def random_design(seed: int, largest: int = 28, blocks: int = 5) -> RandomDesign:
    """The same design for the same seed.

    Args:
        largest: rows and columns that a frame has at most.
        blocks: of the network at most; a block is one to a dozen layers.
    """
    return _Draw(random.Random(seed), seed, largest, blocks).design()


@dataclass(slots=True)
class _Draw:
    rng: random.Random
    seed: int
    largest: int
    blocks: int
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, Recipe] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def design(self) -> RandomDesign:
        import flow.operators  # noqa: F401 - registers the operators
        from flow.ir import Graph, verify
        from flow.model.hardware import Design
        from flow.spec import Precision

        rng = self.rng
        shape = (rng.randint(1, 12), rng.randint(6, self.largest), rng.randint(6, self.largest))
        self.shapes["x"] = shape
        if shape[1] != shape[2]:
            self.kinds.add("non-square")
        bits = rng.choice((8, 8, 12, 16, 16))
        graph = Graph("random", (("x", shape),), (self._network(),), tuple(self.nodes), self.weights)
        verify(graph)
        foldings = self._foldings(graph)
        names = [n.name for n in graph.nodes]
        bounds = [0, *self._cuts(len(names)), len(names)]
        parts = tuple(self._partition(names[a:b], foldings) for a, b in pairwise(bounds))
        design = Design("random", "none", CLOCK_MHZ, 4, parts)
        precision, memory = Precision(bits, bits), self._memory()
        return RandomDesign(self.seed, graph, design, precision, memory, frozenset(self.kinds))

    def _cuts(self, layers: int) -> list[int]:
        count = self.rng.choice((0, 0, 0, 1, 1, 2)) if layers > 3 else 0
        if count:
            self.kinds.add("partitions")
        return sorted(self.rng.sample(range(1, layers), min(count, layers - 1)))

    @staticmethod
    def _partition(names: list[str], foldings: dict[str, Folding]) -> PartitionDesign:
        from flow.model.hardware import PartitionDesign

        return PartitionDesign(tuple(names), {name: foldings[name] for name in names})

    def _memory(self) -> MemorySystem:
        from flow.model.memory import MemorySystem

        port_bits = self.rng.choice((64, 64, 128))
        words = self.rng.choice((3.2, 3.2, 3.2, 1.0, 0.25))
        if words < 1:
            self.kinds.add("slow memory")
        return MemorySystem(port_bits, 4, words * port_bits * CLOCK_MHZ * 1e6, 10**9)

    # Layers

    def _add(self, op: Operator, *inputs: str) -> str:
        from flow.ir import Node, Recipe

        name, sources = f"n{len(self.nodes)}", [self.shapes[i] for i in inputs]
        self.shapes[name] = op.output_shape(sources)
        self.nodes.append(Node(name, op, inputs, self.shapes[name], f"random#{name}"))
        for parameter, shape in op.parameters(sources).items():
            self.weights[f"{name}/{parameter}"] = Recipe(shape, "constant", 0.01)
        return name

    def _network(self) -> str:
        rng = self.rng
        steps: tuple[Callable[[str], str], ...] = (
            self._plain, self._plain, self._separable, self._grouped, self._pooled, self._skip, self._nested,
            self._branches, self._dense, self._rectified,
        )  # fmt: skip
        t = self._conv("x", rng.choice((4, 6, 8, 12, 16)), rng.choice((1, 3, 3, 5)), rng.choice((1, 1, 2)))
        for _ in range(rng.randint(1, self.blocks)):
            t = rng.choice(steps)(t)
        return self._head(t)

    def _head(self, t: str) -> str:
        from flow.operators.global_pool import GlobalPool
        from flow.operators.inner_product import Gemm

        kind = self.rng.choice(("mean", "mean", "gemm", "none"))
        if kind == "mean":
            self.kinds.add("global pool")
            t = self._add(GlobalPool(self.rng.choice(("average", "max"))), t)
        return t if kind == "none" else self._add(Gemm(self.rng.randint(2, 40)), t)

    def _conv(self, t: str, filters: int, kernel: int | tuple[int, int], stride: int = 1, groups: int = 1) -> str:
        from flow.operators.convolution import Conv

        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        pads = (size[0] // 2, size[1] // 2)
        self.kinds |= {"strided"} if stride > 1 else set()
        self.kinds |= {"1x1"} if size == (1, 1) else set()
        op = Conv(filters, size, (stride, stride), pads, pads, (1, 1), groups, activation="relu")
        return self._add(op, t)

    def _stride(self, t: str) -> int:
        return self.rng.choice((1, 1, 2)) if min(self.shapes[t][1:]) >= 6 else 1

    def _filters(self) -> int:
        return self.rng.choice((4, 6, 8, 10, 12, 16, 24, 32))

    def _plain(self, t: str) -> str:
        kernel = self.rng.choice((1, 3, 3, 3, 5, (1, 3), (3, 1)))
        return self._conv(t, self._filters(), kernel, self._stride(t))

    def _separable(self, t: str) -> str:
        self.kinds.add("depthwise")
        channels = self.shapes[t][0]
        return self._conv(self._conv(t, channels, 3, self._stride(t), channels), self._filters(), 1)

    def _grouped(self, t: str) -> str:
        channels = self.shapes[t][0]
        groups = [g for g in (2, 3, 4) if channels % g == 0]
        if not groups:
            return self._plain(t)
        self.kinds.add("grouped")
        chosen = self.rng.choice(groups)
        return self._conv(t, chosen * self.rng.randint(1, 5), 3, self._stride(t), chosen)

    def _pooled(self, t: str) -> str:
        from flow.operators.pool import Pool

        if min(self.shapes[t][1:]) < 5:
            return t
        self.kinds.add("pool")
        size, stride, pad = self.rng.choice(((2, 2, 0), (3, 2, 1), (3, 2, 0), (3, 1, 1)))
        kind = self.rng.choice(("max", "average"))
        return self._add(Pool(kind, (size,) * 2, (stride,) * 2, (pad,) * 2, (pad,) * 2), t)

    def _rectified(self, t: str) -> str:
        from flow.operators.activate import Activation

        self.kinds.add("activation")
        return self._add(Activation("clip", low=-0.5, high=1.0), t)

    # Joins

    def _skip(self, t: str) -> str:
        from flow.operators.add import Add

        self.kinds.add("skip")
        filters, stride = self.rng.choice((self.shapes[t][0], self._filters())), self._stride(t)
        body = self._conv(t, filters, self.rng.choice((1, 3)), stride)
        for _ in range(self.rng.randint(0, 2)):
            body = self._conv(body, filters, self.rng.choice((1, 3)))
        same = stride == 1 and filters == self.shapes[t][0]
        return self._add(Add("relu"), body, t if same else self._conv(t, filters, 1, stride))

    def _nested(self, t: str) -> str:
        """A skip around a skip: encoder and decoder of one resolution."""
        from flow.operators.add import Add
        from flow.operators.concat import Concat

        self.kinds |= {"skip", "nested"}
        channels = self.shapes[t][0]
        inner = self._conv(t, channels, 3)
        body = self._add(Add(), self._conv(self._conv(inner, channels, 3), channels, 3), inner)
        outer = self._conv(body, channels, self.rng.choice((1, 3)))
        return self._add(self.rng.choice((Add("relu"), Concat())), outer, t)

    def _branches(self, t: str) -> str:
        from flow.operators.concat import Concat
        from flow.operators.pool import Pool

        self.kinds.add("concat")
        ends = [self._conv(t, 4 * self.rng.randint(1, 3), 1)]
        ends.append(self._conv(self._conv(t, 4, 1), 4 * self.rng.randint(1, 3), self.rng.choice((3, 5))))
        if self.rng.random() < 0.5:
            pooled = self._add(Pool("max", (3, 3), (1, 1), (1, 1), (1, 1)), t)
            ends.append(self._conv(pooled, 4 * self.rng.randint(1, 2), 1))
        self.rng.shuffle(ends)
        return self._add(Concat(), *ends)

    def _dense(self, t: str) -> str:
        from flow.operators.concat import Concat

        self.kinds.add("concat")
        for _ in range(self.rng.randint(1, 3)):
            t = self._add(Concat(), t, self._conv(t, self.rng.choice((4, 8)), 3))
        return t

    # Foldings

    def _foldings(self, graph: Graph) -> dict[str, Folding]:
        rng = self.rng
        work = {n.name: _work(graph, n) for n in graph.nodes}
        near = rng.random() < 0.6
        pace = max(1.0, sum(work.values()) / rng.choice((8, 16, 32, 64, 128)))
        self.kinds.add("balanced" if near else "any folding")
        return {n.name: self._folding(graph, n, work[n.name] / pace if near else 0.0) for n in graph.nodes}

    def _folding(self, graph: Graph, node: Node, wanted: float) -> Folding:
        """A legal folding; with `wanted` operations a cycle, the nearest of some."""
        drawn = [self._legal(graph, node) for _ in range(ATTEMPTS if wanted else 1)]
        return min(drawn, key=lambda f: abs(f.coarse_in * f.coarse_out * f.coarse_group * f.fine - wanted))

    def _legal(self, graph: Graph, node: Node) -> Folding:
        from flow.ir import Folding

        rng, shapes = self.rng, graph.input_shapes(node)
        most, weighted = node.op.parallelism(shapes), bool(node.op.parameters(shapes))
        while True:
            lanes = rng.randint(1, min(most.coarse_in, 16))
            out = rng.randint(1, min(most.coarse_out, 16)) if weighted else lanes
            folding = Folding(lanes, out, rng.randint(1, most.coarse_group), rng.randint(1, most.fine))
            if folding.coarse_group > 1 and weighted:
                folding = Folding(most.coarse_in, most.coarse_out, folding.coarse_group, folding.fine)
            if node.op.legal_folding(folding, shapes):
                return folding


def _work(graph: Graph, node: Node) -> float:
    """Operations of a layer: products, or values that pass."""
    import math

    return float(node.op.macs(graph.input_shapes(node)) or math.prod(graph.input_shapes(node)[0]))
