"""What an ONNX file computes behind the tensors at which a spec cuts it: the host's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flow.frontend.source import printable, read_model

if TYPE_CHECKING:
    from onnx import GraphProto

_SHAPES_ONLY = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout")
_ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Tail:
    """What comes behind the cut.

    Attributes:
        activation: softmax | sigmoid where that, and a change of shape, is all; "" for nothing or something else.
        left: kinds of operators that nobody computes, for the user to hear of.
    """

    activation: str = ""
    left: tuple[str, ...] = ()


def tail_of(path: Path, shown: str, outputs: Sequence[str], one_pixel: bool) -> Tail:
    """The tail of a file behind `outputs`; `one_pixel`: a frame of the first has one value a channel.

    A softmax over several pixels could be over any of their axes, so it is left to the user. ONNX00x if the file cannot
    be read.
    """
    graph = read_model(path, shown).graph
    behind = _behind(graph, outputs)
    found = [kind for kind in behind if kind not in _SHAPES_ONLY]
    alone = len(outputs) == len(found) == 1 and found[0] in _ACTIVATIONS
    if alone and (one_pixel or behind == ["Sigmoid"]):
        return Tail(_ACTIVATIONS[found[0]])
    return Tail("", tuple(sorted(printable(kind) for kind in set(found)))[:_MOST_NAMED])


def _behind(graph: GraphProto, outputs: Sequence[str]) -> list[str]:
    """Kinds of all nodes that depend on the outputs; nodes in any order."""
    known, kinds, waiting = set(outputs), list[str](), list(graph.node)
    while True:
        ready = [node for node in waiting if known & set(node.input)]
        if not ready:
            return kinds
        waiting = [node for node in waiting if not known & set(node.input)]
        kinds += [node.op_type for node in ready]
        known |= {name for node in ready for name in node.output}
