"""ONNX nodes to nodes of our graph, by the importers that the operator modules declare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flow.diagnostics import BuildError, Problem, quoted
from flow.frontend.fold import folded
from flow.frontend.source import printable
from flow.frontend.tensors import is_float, type_name
from flow.ir import Graph, Node, Operator, Shape, ShapeError, Weight
from flow.operators.onnx_node import Imported, OnnxNode, Same, Several, Step, Unsupported, imported_kinds, importers

if TYPE_CHECKING:
    from onnx import NodeProto

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization")
"""Operators with weights: behind a missing operator they show that it does not belong to the tail of the network."""

_NOTHING = ("Identity", "Dropout", "Cast")
"""Operators without effect on the inference of float tensors."""


@dataclass(slots=True)
class Conversion:
    """State of one conversion.

    Attributes:
        shown: file name for messages.
        opset: version of the operator set.
        sizes: inferred shapes with batch axis, for what no operator of ours can give.
        origins: where the user finds the producer of a tensor.
        shapes: shapes of frames, under the names of our graph.
        aliases: ONNX tensor to the tensor of our graph that holds its values.
    """

    shown: str
    opset: int
    sizes: dict[str, Shape]
    origins: dict[str, str]
    constants: dict[str, Weight]
    shapes: dict[str, Shape]
    read: frozenset[str]
    inputs: frozenset[str]
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    missing: list[Problem] = field(default_factory=list)
    invalid: list[Problem] = field(default_factory=list)
    refused: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    seen: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def add(self, node: NodeProto) -> None:
        """Convert one node, or note why that is impossible."""
        names = [name for name in node.input if name]
        self.seen.append((node.op_type, tuple(names), tuple(node.output)))
        if names and all(name in self.constants for name in names) and self._fold(node):
            return
        if node.op_type not in _NOTHING and not importers(node.op_type):
            self.refuse(node, "")
            return
        if any(name in self.unknown for name in names):
            self._forget(node)
            return
        try:
            self._take(node.output, self._import(node))
        except Unsupported as reason:
            self.refuse(node, str(reason))
        except ShapeError as reason:
            hint = "do the weights belong to this network?"
            self.invalid.append(Problem("ONNX014", f"{node.op_type}: {reason}", hint, self._where(node)))
            self._forget(node)

    def _where(self, node: NodeProto) -> str:
        return next((self.origins[n] for n in node.output if n in self.origins), self.shown)

    def refuse(self, node: NodeProto, why: str) -> None:
        """Note an operator that cannot be computed; what comes behind it is still checked where shapes are known."""
        kind = f"{printable(node.domain)}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        self.missing.append(Problem("ONNX010", printable(f"{kind}: {why}" if why else kind), "", self._where(node)))
        self.refused.append((node.op_type, tuple(node.output)))
        self._forget(node)

    def _forget(self, node: NodeProto) -> None:
        for name in filter(None, node.output):
            size = self.sizes.get(name, ())
            if len(size) > 1 and size[0] == 1:
                self.shapes[name] = size[1:]
            else:
                self.unknown.add(name)

    def _fold(self, node: NodeProto) -> bool:
        value = folded(node, self.constants, self.sizes.get(node.output[0]), self.opset)
        if value is not None:
            self.constants[node.output[0]] = value
        return value is not None

    def _import(self, node: NodeProto) -> Imported:
        if node.op_type in _NOTHING:
            self._check_nothing(node)
            return Same(self.aliases.get(node.input[0], node.input[0]))
        seen = OnnxNode(
            node.op_type,
            tuple(self.aliases.get(name, name) for name in node.input),
            tuple(name for name in node.output if name in self.read),
            _attributes(node),
            self.opset,
            self.shapes,
            self.constants,
            tuple(node.output),
        )
        for importer in importers(node.op_type):
            found = importer(seen)
            if found is not None:
                return found
        raise Unsupported("with these inputs")

    def _check_nothing(self, node: NodeProto) -> None:
        """Unsupported where the node does compute something after all."""
        to = next((a.i for a in node.attribute if a.name == "to"), None)
        if to is not None and not is_float(to):
            raise Unsupported(f"to {type_name(to)}")

    def _take(self, outputs: Sequence[str], imported: Imported) -> None:
        if isinstance(imported, Several):
            for output, part in zip(outputs, imported.parts, strict=True):
                if output in self.read:
                    self._take([output], part)
        elif isinstance(imported, Same):
            self.aliases[outputs[0]] = imported.tensor
        elif imported:
            self._append(outputs[0], imported)

    def _append(self, output: str, steps: Sequence[Step]) -> None:
        made: list[str] = []
        for i, step in enumerate(steps):
            name = output if i == len(steps) - 1 else self._free(f"{output}/{step.op.name}")
            inputs = tuple(made[source] if isinstance(source, int) else source for source in step.inputs)
            _check_numbers(step.op)
            self.shapes[name] = step.op.output_shape([self.shapes[tensor] for tensor in inputs])
            self.nodes.append(Node(name, step.op, inputs, self.shapes[name], self.origins.get(output, self.shown)))
            self.weights |= {f"{name}/{parameter}": weight for parameter, weight in step.weights.items()}
            made.append(name)

    def _free(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.shapes or name in self.origins or name in self.constants:
            count += 1
            name = f"{wanted}_{count}"
        return name

    def cuts(self, outputs: Sequence[str]) -> tuple[str, ...]:
        """The tensors in front of a tail that only the host can compute; () if layers come behind what is missing."""
        behind = {name for _, made in self.refused for name in made}
        ends: dict[str, None] = {}
        for kind, names, made in self.seen:
            if not behind & {*names, *made}:
                continue
            if kind in _LAYERS and not behind & set(made):
                return ()
            behind |= set(made)
            ends |= dict.fromkeys(n for n in names if n and n not in self.constants)
        cut = tuple(name for name in ends if name not in behind)
        return cut if set(outputs) <= behind and not set(cut) & self.inputs else ()

    def graph(self, name: str, inputs: Iterable[str], outputs: Sequence[str]) -> Graph:
        """The finished graph; BuildError with every operator that is missing."""
        problems = list(self.invalid)
        if self.missing:
            problems.append(missing_operators(self.missing, self.shown, self.cuts(outputs)))
        if problems:
            raise BuildError(tuple(problems))
        produced = {node.name for node in self.nodes}
        ends = tuple(self.aliases.get(o, o) for o in outputs)
        for i, end in enumerate(ends):
            if end in ends[:i]:
                message = f"outputs {quoted(outputs[ends.index(end)])} and {quoted(outputs[i])} are the same tensor"
                raise BuildError(Problem("ONNX017", message, "name one of them under `outputs`", self.shown))
            if end not in produced:
                message = f"output {quoted(end)} is not computed from the input"
                raise BuildError(Problem("ONNX017", message, "", self.shown))
        sources = tuple((i, self.shapes[i]) for i in inputs)
        return channels_first_inputs(Graph(name, sources, ends, tuple(self.nodes), self.weights))


def _check_numbers(op: Operator) -> None:
    """Unsupported if an attribute is not finite: nothing could be computed with it, nor written down."""
    for name, value in op.attributes().items():
        if isinstance(value, float) and not math.isfinite(value):
            raise Unsupported(f"{name} is {value}")


def _attributes(node: NodeProto) -> dict[str, Any]:
    from onnx import TensorProto, helper, numpy_helper

    values: dict[str, Any] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode("utf-8", errors="replace")
        elif isinstance(value, TensorProto):
            value = numpy_helper.to_array(value)
        elif not isinstance(value, int | float):
            value = tuple(value)
        values[attribute.name] = value
    return values


def missing_operators(missing: Sequence[Problem], shown: str, cuts: Sequence[str] = ()) -> Problem:
    """One problem that lists every operator that is missing, its nodes beside it; `cuts` are tensors to end with."""
    counts: dict[str, int] = {}
    for problem in missing:
        kind = problem.message.partition(": ")[0]
        counts[kind] = counts.get(kind, 0) + 1
    listed = ", ".join(f"{kind} ({n} node{'s' * (n > 1)})" for kind, n in sorted(counts.items()))
    known = ", ".join(sorted((*imported_kinds(), *_NOTHING)))
    advice = f"`outputs: {list(cuts)}`" if cuts else "`outputs`, a list of the tensors to end with,"
    hint = f"what belongs to the host can be cut off by {advice} of the network; supported: {known}"
    return Problem("ONNX010", f"operators that are not supported: {listed}", hint, shown, related=tuple(missing))


def channels_first_inputs(graph: Graph) -> Graph:
    """An input whose channels are moved to the front at once is declared channels first, and the move is dropped.

    Frames are channels first everywhere; only ONNX Runtime gets them as the file says (`runtime`).
    """
    for name, shape in graph.inputs:
        readers = [node for node in graph.nodes if name in node.inputs]
        order = (len(shape) - 1, *range(len(shape) - 1))
        moves = all(n.op.name == "transpose" and n.op.attributes()["order"] == order for n in readers)
        if len(shape) < 2 or not readers or not moves or {name, *(n.name for n in readers)} & set(graph.outputs):
            continue
        moved = (shape[-1], *shape[:-1])
        inputs = tuple((n, moved if n == name else s) for n, s in graph.inputs)
        graph = replace(graph, inputs=inputs)
        for node in readers:
            graph = graph.spliced_out(node.name)
    return graph
