"""The import of an ONNX file, from reading to the verified graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.frontend.convert import Conversion
from flow.frontend.fold import stored_constants
from flow.frontend.limits import MOST_ELEMENTS
from flow.frontend.prepare import Prepared, prepare
from flow.frontend.simplify import simplify, sizes_of
from flow.frontend.source import first_line, opset_of, read_model
from flow.frontend.structure import cut, origin, sort_nodes
from flow.ir import Graph, GraphError, Shape, elements, verify
from flow.ir.live import live

_UNFORESEEN = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What Python and the libraries raise on contents that no check of ours foresaw."""


def import_onnx(
    path: Path,
    *,
    name: str = "",
    shown: str = "",
    input_shape: Shape = (),
    outputs: Sequence[str] = (),
) -> Graph:
    """The graph of an ONNX file; BuildError with codes ONNX0xx for whatever is wrong with it.

    Args:
        path: the file; external data must lie in its folder.
        name: of the network; default: the file's stem.
        shown: the file's name in messages and origins; default: its last component.
        input_shape: (channels, *spatial) where the file leaves it open.
        outputs: tensors at which to cut the network; default: the file's outputs.
    """
    shown = shown or path.name
    try:
        graph = _imported(path, name or path.stem, shown, input_shape, outputs)
    except _UNFORESEEN as error:
        message = f"the file cannot be imported: {type(error).__name__}: {first_line(error)}"
        raise BuildError(Problem("ONNX019", message, "export the network again", shown)) from error
    try:
        verify(graph)
    except GraphError as error:
        raise BuildError(Problem("ONNX014", f"the network does not fit together: {error}", "", shown)) from None
    for node in graph.nodes:
        size = elements(node.shape)
        if not 0 < size <= MOST_ELEMENTS:
            message = f"{quoted(node.name)} has the absurd size {'x'.join(map(str, node.shape))}"
            raise BuildError(Problem("ONNX012", message, "a tensor has one to 2^31 values", node.origin))
    return graph


def _imported(path: Path, name: str, shown: str, input_shape: Shape, outputs: Sequence[str]) -> Graph:
    model = read_model(path, shown)
    origins = {tensor: origin(node, shown) for node in model.graph.node for tensor in node.output if tensor}
    sort_nodes(model.graph, shown)
    cut(model.graph, outputs, shown)
    prepared = prepare(model, path.parent, shown, input_shape)
    return _converted(prepared, origins, shown, name)


def _converted(prepared: Prepared, origins: dict[str, str], shown: str, name: str) -> Graph:
    import onnx

    slim = simplify(prepared.model, origins, shown)
    sizes = sizes_of(onnx.shape_inference.infer_shapes(slim, data_prop=True))
    constants = stored_constants(slim.graph) | prepared.kept
    conversion = Conversion(
        shown,
        opset_of(slim),
        sizes,
        origins,
        constants,
        {tensor: size[1:] for tensor, size in prepared.inputs.items()},
        frozenset([*prepared.outputs, *(tensor for node in slim.graph.node for tensor in node.input)]),
        frozenset(prepared.inputs),
    )
    for node, why in prepared.missing:
        conversion.refuse(node, why)
    for node in slim.graph.node:
        conversion.add(node)
    return live(conversion.graph(name, prepared.inputs, prepared.outputs))
