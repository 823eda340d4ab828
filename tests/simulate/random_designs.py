"""Small designs of every kind of module, drawn from a seed: topology, sizes, foldings, widths, passes."""

from __future__ import annotations

import random

from flow.benchmarks.random_designs import random_design as generated
from flow.ir import Folding
from flow.model.lowering import lower
from flow.numerics import quantise, seeded_frames
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.concat import Concat
from flow.operators.convolution import Conv
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from tests.generate.designs import Layer, Sample, conv, one, pool, sample


def random_design(seed: int) -> Sample:
    """The same design for the same seed."""
    return _Draw(random.Random(seed)).design()


def drawn_sample(seed: int) -> Sample:
    """A design of the benchmarks' generator in integers: grouped and rectangular windows, nested joins, partitions."""
    drawn = generated(seed, largest=9, blocks=2)
    frames = seeded_frames(drawn.graph.inputs[0][1], 2, 1)
    bits = drawn.precision.activations
    realised = quantise(drawn.graph, lambda _name, _op: (bits, bits), frames)
    return Sample(drawn.graph, realised, lower(drawn.graph, drawn.design, realised.numbers, drawn.memory.port_bits))


class _Draw:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.layers: list[Layer] = []
        self.channels, self.name = rng.randint(1, 4), "x"
        self.height, self.width = rng.randint(5, 9), rng.randint(5, 9)
        self.shape = (self.channels, self.height, self.width)

    def design(self) -> Sample:
        rng = self.rng
        self.convolve(rng.choice((1, 3)), rng.choice((1, 1, 2)))
        for step in rng.sample((self.skip, self.stack, self.shrink, self.separate, self.rectify), 2):
            step()
        last = rng.choice(("conv", "gemm", "mean"))
        passes = 1
        if last == "conv":
            self.convolve(rng.choice((1, 3)), 1)
        elif last == "gemm":
            self.classify()
            passes = rng.choice((1, 1, 3))
        else:
            self.add("v", GlobalPool(rng.choice(("average", "max"))), (self.name,), one(rng.randint(1, self.channels)))
            self.height = self.width = 1
            self.classify()
        bits, port_bits = rng.choice((8, 12, 16)), rng.choice((64, 128))
        return sample(self.layers, self.shape, passes=passes, bits=bits, port_bits=port_bits)

    def add(self, kind: str, op: object, inputs: tuple[str, ...], folding: Folding) -> str:
        name = f"{kind}{len(self.layers)}"
        self.layers.append((name, op, inputs, folding))  # type: ignore[arg-type]
        self.name = name
        return name

    def folding(self, filters: int, kernel: int) -> Folding:
        rng = self.rng
        return Folding(rng.randint(1, self.channels), rng.randint(1, filters), 1, rng.randint(1, kernel * kernel))

    def convolve(self, kernel: int, stride: int, filters: int = 0, source: str = "") -> str:
        filters = filters or self.rng.randint(1, 8)
        op = conv(filters, kernel, stride, kernel // 2, activation="relu")
        made = self.add("c", op, (source or self.name,), self.folding(filters, kernel))
        self.channels = filters
        self.height, self.width = -(-self.height // stride), -(-self.width // stride)
        return made

    def skip(self) -> None:
        start = self.name
        branch = self.convolve(3, 1, self.channels)
        self.add("s", Add("relu"), (branch, start), one(self.rng.randint(1, self.channels)))

    def stack(self) -> None:
        start, channels = self.name, self.channels
        left = self.convolve(self.rng.choice((1, 3)), 1, 2 * self.rng.randint(1, 3), start)
        wide, self.channels = self.channels, channels
        right = self.add("p", pool("average", 3, 1, 1), (start,), one(self.rng.randint(1, channels)))
        self.add("k", Concat(), (left, right), one(self.rng.choice((1, 2))))
        self.channels = wide + channels

    def shrink(self) -> None:
        if min(self.height, self.width) >= 4:
            self.add("p", pool("max", 2, 2), (self.name,), one(self.rng.randint(1, self.channels)))
            self.height, self.width = self.height // 2, self.width // 2

    def separate(self) -> None:
        lanes = self.rng.choice([d for d in range(1, self.channels + 1) if self.channels % d == 0])
        size = (3, 3)
        op = Conv(self.channels, size, (1, 1), (1, 1), (1, 1), (1, 1), groups=self.channels)
        self.add("d", op, (self.name,), Folding(1, 1, lanes, self.rng.randint(1, 9)))

    def rectify(self) -> None:
        self.add("r", Activation("clip", low=-0.5, high=1.0), (self.name,), one(self.rng.randint(1, self.channels)))

    def classify(self) -> None:
        filters = self.rng.randint(2, 9)
        self.add("g", Gemm(filters), (self.name,), self.folding(filters, 1))
