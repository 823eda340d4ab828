"""Checks by the onnx package and simplification by onnxslim, with batch normalisation left to our own rule."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flow.diagnostics import BuildError, Problem, quoted
from flow.frontend.limits import LARGEST_FOLDED, MOST_ELEMENTS
from flow.frontend.source import first_line, opset_of, printable
from flow.ir import Shape, elements

if TYPE_CHECKING:
    from onnx import ModelProto

_SKIPPED_OPTIMISATIONS = ["subexpression_elimination", "weight_tying"]
"""They rename tensors, and users look for theirs."""


def simplify(model: ModelProto, origins: Mapping[str, str], shown: str) -> ModelProto:
    """The checked model with shape arithmetic computed and nodes that do nothing removed."""
    inferred = check(model, origins, shown)
    sizes = sizes_of(inferred)
    absurd = next((n for n, size in sizes.items() if elements(size) > MOST_ELEMENTS), None)
    if absurd is not None:
        message = f"tensor {quoted(absurd)} has the absurd size {'x'.join(map(str, sizes[absurd]))}"
        raise BuildError(Problem("ONNX012", message, "a tensor may have up to 2^31 values", shown))
    return _slimmed(inferred, shown)


def check(model: ModelProto, origins: Mapping[str, str], shown: str) -> ModelProto:
    """The model with the shapes of its tensors; BuildError if nodes break ONNX's own rules."""
    import onnx

    _check_nodes(model, origins, shown)
    try:
        return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise BuildError(_misfit(str(error), shown)) from None


def sizes_of(model: ModelProto) -> dict[str, Shape]:
    """Fixed shapes that the model states, of inputs, outputs and everything between."""
    graph = model.graph
    known = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        fixed = value.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims)
        if fixed:
            known[value.name] = tuple(int(d.dim_value) for d in dims)
    return known


def _check_nodes(model: ModelProto, origins: Mapping[str, str], shown: str) -> None:
    """Number of inputs and outputs, names and types of attributes, by the onnx package's own rules."""
    import onnx

    context = onnx.checker.DEFAULT_CONTEXT
    rules = type(context)()
    rules.ir_version = model.ir_version
    rules.opset_imports = {"": opset_of(model)}
    problems = []
    for node in model.graph.node:
        try:
            onnx.checker.check_node(node, rules)
        except (onnx.checker.ValidationError, ValueError, TypeError) as error:
            where = next((origins[o] for o in node.output if o in origins), shown)
            message = f"{printable(node.op_type)} is not valid ONNX: {first_line(error)}"
            problems.append(Problem("ONNX014", message, "export the network again", where))
    if problems:
        raise BuildError(tuple(problems))


_MISFIT = re.compile(r"\(op_type: ?(\w+)(?:, node name: ([^)]*))?\): (?:\[\w+\] )?(.*)")


def _misfit(text: str, shown: str) -> Problem:
    """The sentence in the checker's text that names node and mismatch."""
    hint = "do the weights belong to this network?"
    found = _MISFIT.search(text)
    if found is None:
        return Problem("ONNX014", f"shapes or types do not fit: {first_line(ValueError(text))}", hint, shown)
    kind, name, reason = found.groups()
    where = f"{shown}#{printable(name)}" if name else shown
    return Problem("ONNX014", f"{kind}: {first_line(ValueError(reason))}", hint, where)


def _slimmed(model: ModelProto, shown: str) -> ModelProto:
    import onnxslim
    from onnxslim.core.pattern.registry import DEFAULT_FUSION_PATTERNS

    # Fusions would fold statistics and biases into weights, or turn transposes of small tensors into reshapes.
    skipped = [
        name
        for name in DEFAULT_FUSION_PATTERNS
        if name.startswith("Fusion") or name in ("EliminationTransposeAsReshape", "EliminationTransposeViewTranspose")
    ]
    options = {
        "skip_fusion_patterns": [name for name in skipped if name != "FusionConcatReshape"],
        "skip_optimizations": _SKIPPED_OPTIMISATIONS,
        "size_threshold": LARGEST_FOLDED,
    }
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            slim: ModelProto = onnxslim.slim(model, **options)
    except Exception as error:  # whatever a library does with a model that passed every check of ours
        message = f"the network cannot be simplified: {first_line(error)}"
        raise BuildError(
            Problem("ONNX016", message, "simplify it before: onnxslim MODEL.onnx OUT.onnx", shown)
        ) from None
    return slim
