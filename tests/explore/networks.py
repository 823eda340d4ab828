"""Networks of the tests, built from operators: no importer, weights that are never expanded."""

from __future__ import annotations

from dataclasses import dataclass, field

import flow.operators  # noqa: F401 - registers the operators
from flow.ir import Graph, Node, Operator, Recipe, Shape, verify
from flow.operators.add import Add
from flow.operators.concat import Concat
from flow.operators.convolution import Conv
from flow.operators.flatten import Flatten
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from flow.operators.multiply import Multiply
from flow.operators.pool import Pool
from flow.operators.sigmoid import Sigmoid


@dataclass
class Net:
    """Collects nodes; every method returns the name of the tensor that it adds."""

    name: str
    shape: Shape
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, Recipe] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shapes["x"] = self.shape

    def add(self, op: Operator, *inputs: str) -> str:
        name, shapes = f"n{len(self.nodes)}", [self.shapes[i] for i in inputs]
        self.shapes[name] = op.output_shape(shapes)
        self.nodes.append(Node(name, op, inputs, self.shapes[name], f"{self.name}#{name}"))
        for parameter, shape in op.parameters(shapes).items():
            self.weights[f"{name}/{parameter}"] = Recipe(shape, "constant", 0.01)
        return name

    def conv(
        self, source: str, filters: int, kernel: int = 3, stride: int = 1, pad: int | None = None, groups: int = 1
    ) -> str:
        pads = (kernel // 2 if pad is None else pad,) * 2
        return self.add(
            Conv(filters, (kernel,) * 2, (stride,) * 2, pads, pads, (1, 1), groups, activation="relu"), source
        )

    def pool(self, source: str, kernel: int = 2, stride: int = 2, pad: int = 0, ceil_mode: bool = False) -> str:
        return self.add(Pool("max", (kernel,) * 2, (stride,) * 2, (pad,) * 2, (pad,) * 2, ceil_mode), source)

    def graph(self, *outputs: str) -> Graph:
        graph = Graph(self.name, (("x", self.shape),), outputs, tuple(self.nodes), self.weights)
        verify(graph)
        return graph


def chain(sizes: tuple[int, ...] = (4, 6), shape: Shape = (3, 8, 8)) -> Graph:
    """Convolutions one behind the other."""
    net, t = Net("chain", shape), "x"
    for filters in sizes:
        t = net.conv(t, filters)
    return net.graph(t)


def lenet5() -> Graph:
    net = Net("lenet5", (1, 28, 28))
    t = net.pool(net.conv("x", 20, 5, pad=0))
    t = net.pool(net.conv(t, 50, 5, pad=0))
    t = net.add(Gemm(500, activation="relu"), t)
    return net.graph(net.add(Gemm(10), t))


def vgg16() -> Graph:
    net, t = Net("vgg16", (3, 224, 224)), "x"
    for filters, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            t = net.conv(t, filters)
        t = net.pool(t)
    for features in (4096, 4096, 1000):
        t = net.add(Gemm(features), t)
    return net.graph(t)


def alexnet() -> Graph:
    net = Net("alexnet", (3, 224, 224))
    t = net.pool(net.conv("x", 64, 11, 4, 2), 3, 2)
    t = net.pool(net.conv(t, 192, 5), 3, 2)
    for filters in (384, 256, 256):
        t = net.conv(t, filters)
    t = net.pool(t, 3, 2)
    for features in (4096, 4096, 1000):
        t = net.add(Gemm(features), t)
    return net.graph(t)


def residual(stages: tuple[tuple[int, int], ...], shape: Shape, stem: str, name: str) -> Graph:
    """ResNets of basic blocks: `stages` are (filters, blocks)."""
    net = Net(name, shape)
    t = net.pool(net.conv("x", 64, 7, 2), 3, 2, 1) if stem == "imagenet" else net.conv("x", stages[0][0])
    channels = stages[0][0]
    for index, (filters, blocks) in enumerate(stages):
        for block in range(blocks):
            stride = 2 if block == 0 and index > 0 else 1
            skip = net.conv(t, filters, 1, stride) if stride > 1 or channels != filters else t
            t = net.add(Add("relu"), net.conv(net.conv(t, filters, 3, stride), filters), skip)
            channels = filters
    t = net.add(Flatten(), net.add(GlobalPool("average"), t))
    return net.graph(net.add(Gemm(10 if stem != "imagenet" else 1000), t))


def resnet8() -> Graph:
    return residual(((16, 1), (32, 1), (64, 1)), (3, 32, 32), "cifar", "resnet8")


def resnet18() -> Graph:
    return residual(((64, 2), (128, 2), (256, 2), (512, 2)), (3, 224, 224), "imagenet", "resnet18")


def resnet50() -> Graph:
    net = Net("resnet50", (3, 224, 224))
    t = net.pool(net.conv("x", 64, 7, 2), 3, 2, 1)
    for index, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            stride = 2 if block == 0 and index > 0 else 1
            skip = net.conv(t, 4 * width, 1, stride) if block == 0 else t
            inner = net.conv(net.conv(net.conv(t, width, 1), width, 3, stride), 4 * width, 1)
            t = net.add(Add("relu"), inner, skip)
    t = net.add(Flatten(), net.add(GlobalPool("average"), t))
    return net.graph(net.add(Gemm(1000), t))


def squeezenet() -> Graph:
    net = Net("squeezenet", (3, 224, 224))
    t = net.pool(net.conv("x", 64, 3, 2, 0), 3, 2, ceil_mode=True)
    for index, (squeeze, expand) in enumerate(
        ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
    ):
        s = net.conv(t, squeeze, 1)
        t = net.add(Concat(), net.conv(s, expand, 1), net.conv(s, expand, 3))
        if index in (1, 3):
            t = net.pool(t, 3, 2, ceil_mode=True)
    return net.graph(net.add(GlobalPool("average"), net.conv(t, 1000, 1)))


def mobilenet_v2() -> Graph:
    net = Net("mobilenet_v2", (3, 224, 224))
    t, channels = net.conv("x", 32, 3, 2), 32
    for expand, filters, times, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for repeat in range(times):
            stride, hidden = first if repeat == 0 else 1, channels * expand
            inner = t if expand == 1 else net.conv(t, hidden, 1)
            inner = net.conv(net.conv(inner, hidden, 3, stride, groups=hidden), filters, 1)
            t = net.add(Add(), inner, t) if stride == 1 and channels == filters else inner
            channels = filters
    t = net.add(Flatten(), net.add(GlobalPool("average"), net.conv(t, 1280, 1)))
    return net.graph(net.add(Gemm(1000), t))


def googlenet() -> Graph:
    net = Net("googlenet", (3, 224, 224))
    t = net.pool(net.conv("x", 64, 7, 2), 3, 2, ceil_mode=True)
    t = net.pool(net.conv(net.conv(t, 64, 1), 192), 3, 2, ceil_mode=True)
    blocks = (
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None, (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128), None, (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    )  # fmt: skip
    for block in blocks:
        if block is None:
            t = net.pool(t, 3, 2, ceil_mode=True)
            continue
        a, b1, b2, c1, c2, d = block
        branches = (net.conv(t, a, 1), net.conv(net.conv(t, b1, 1), b2), net.conv(net.conv(t, c1, 1), c2))
        t = net.add(Concat(), *branches, net.conv(net.pool(t, 3, 1, 1), d, 1))
    t = net.add(Flatten(), net.add(GlobalPool("average"), t))
    return net.graph(net.add(Gemm(1000), t))


def inception() -> Graph:
    """Two branching blocks with a skip over both: forks of four, joins of three, unequal depths."""
    net = Net("inception", (8, 12, 12))
    t = start = net.conv("x", 8, 1)
    for _ in range(2):
        branches = (net.conv(t, 8, 1), net.conv(net.conv(t, 4, 1), 8, 3), net.conv(net.pool(t, 3, 1, 1), 8, 5))
        t = net.conv(net.add(Concat(), *branches), 8, 1)
    t = net.add(Add(), t, start)
    return net.graph(net.add(Gemm(10), net.add(Flatten(), net.add(GlobalPool("average"), net.conv(t, 16, 3, 2)))))


def excitation() -> Graph:
    """EfficientNet's blocks in small: SiLU, squeeze and excitation, a skip over both."""
    net, silu = Net("excitation", (3, 12, 12)), Sigmoid("logistic", True)
    t = start = net.add(silu, net.conv("x", 8, 3))
    for _ in range(2):
        hidden = net.add(silu, net.conv(net.add(silu, net.conv(t, 24, 1)), 24, 3, groups=24))
        gate = net.conv(net.add(silu, net.conv(net.add(GlobalPool("average"), hidden), 2, 1)), 24, 1)
        t = net.conv(net.add(Multiply(), hidden, net.add(Sigmoid(), gate)), 8, 1)
    t = net.add(Multiply(), net.add(Add(), t, start), start)
    return net.graph(net.add(Gemm(10), net.add(Flatten(), net.add(GlobalPool("average"), t))))
