"""A small residual network built by hand: every kind of join and pool, seeded weights."""

from __future__ import annotations

import flow.operators  # noqa: F401  (registers them)
from flow.ir import Graph, Node, Operator, Recipe, elements, operator_class


def conv(filters, kernel, stride=1, pad=0, groups=1, **activation):
    pair = (kernel, kernel), (stride, stride), (pad, pad), (pad, pad), (1, 1)
    return operator_class("conv")(filters, *pair, groups, **activation)


def graph_of(shape, layers, outputs=None):
    """A graph from (name, operator, inputs) with He-normal weights and small biases."""
    shapes, nodes, weights = {"x": shape}, [], {}
    for name, op, inputs in layers:
        sources = [shapes[i] for i in inputs]
        shapes[name] = op.output_shape(sources)
        nodes.append(Node(name, op, inputs, shapes[name], f"hand#{name}"))
        for parameter, size in op.parameters(sources).items():
            deviation = (2 / elements(size[1:])) ** 0.5 if parameter == "weight" else 0.05
            weights[f"{name}/{parameter}"] = Recipe(size, "normal", 0.0, deviation, 1, f"{name}/{parameter}")
    return Graph("hand", (("x", shape),), outputs or (nodes[-1].name,), tuple(nodes), weights)


def residual_graph():
    make = operator_class
    pool = (3, 3), (2, 2), (1, 1), (1, 1)
    layers: list[tuple[str, Operator, tuple[str, ...]]] = [
        ("stem", conv(8, 3, 1, 1, activation="relu"), ("x",)),
        ("deep", conv(8, 3, 1, 1, 8, activation="leaky_relu", alpha=0.1), ("stem",)),
        ("wide/1", conv(8, 1, activation="none"), ("deep",)),
        ("join", make("add")("relu"), ("wide/1", "stem")),
        ("max", make("pool")("max", *pool), ("join",)),
        ("mean", make("pool")("average", *pool, count_include_pad=True), ("join",)),
        ("both", make("concat")(), ("max", "mean")),
        ("act", make("activation")("clip", 0.0, 3.0), ("both",)),
        ("global", make("global_pool")("average"), ("act",)),
        ("flat", make("flatten")(), ("global",)),
        ("scores", make("gemm")(10), ("flat",)),
    ]
    return graph_of((3, 12, 12), layers)
