"""Reading an ONNX file: size, format, versions. External data is looked at in `tensors`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flow.diagnostics import BuildError, Problem
from flow.frontend.limits import LARGEST_FILE, MOST_NODES

if TYPE_CHECKING:
    from onnx import ModelProto

OLDEST_OPSET, UNCONVERTED_OPSET = 5, 7
"""Operator sets from the second on are read as they are; those before it are converted to it."""
LARGEST_OLD = 256 * 1024**2
"""Bytes of a file that is looked at twice to find out how old it is."""
LISTED_IR = 3
"""Up to this version of the format every stored tensor is listed as an input, too; newer files need not do so."""


def read_model(path: Path, shown: str) -> ModelProto:
    """The parsed file without external data; BuildError if it is none that can be read.

    Args:
        path: the file.
        shown: its name in messages and origins.
    """
    model = _parse(_bytes(path, shown), shown)
    if not model.graph.node:
        hint = "is it truncated, or only a set of weights?"
        raise BuildError(Problem("ONNX002", "the file holds no network: its graph has no nodes", hint, shown))
    if not model.graph.output:
        raise BuildError(Problem("ONNX002", "the network has no outputs", "is the file truncated?", shown))
    if len(model.graph.node) > MOST_NODES:
        message = f"the graph has {len(model.graph.node)} nodes; the limit is {MOST_NODES}"
        raise BuildError(Problem("ONNX012", message, "", shown))
    _check_versions(model, shown)
    return _inlined(_converted(model, shown), shown)


def _bytes(path: Path, shown: str) -> bytes:
    try:
        if not path.exists():
            raise BuildError(Problem("ONNX001", "there is no such file", "check the path", shown))
        if not path.is_file():
            raise BuildError(Problem("ONNX001", "this is not a file", "name the .onnx file", shown))
        size = path.stat().st_size
        if size > LARGEST_FILE:
            message = f"the file has {size / 1e9:.1f} GB; at most {LARGEST_FILE / 1e9:.0f} GB are read"
            raise BuildError(Problem("ONNX001", message, "save large weights as external data", shown))
        if size == 0:
            raise BuildError(Problem("ONNX002", "the file is empty", "export the network again", shown))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BuildError(Problem("ONNX001", f"the file cannot be read: {reason}", "", shown)) from None


def _parse(data: bytes, shown: str) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        _read_names(model)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        hint = "the file is truncated, damaged or of another format; export the network again"
        raise BuildError(Problem("ONNX002", "this is not an ONNX file", hint, shown)) from None
    return model


def _read_names(model: ModelProto) -> None:
    """UnicodeDecodeError if a name is no text: protobuf itself only finds out when somebody reads it, or not at all."""
    graph = model.graph
    names: list[str | bytes] = [entry.domain for entry in model.opset_import]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, node.doc_string, *node.input, *node.output]
        for attribute in node.attribute:
            texts = [attribute.s] if attribute.type == attribute.STRING else []
            names += [attribute.name, *(text.decode() for text in (*texts, *attribute.strings))]
    for value in (*graph.input, *graph.output, *graph.value_info):
        names += [value.name, *(d.dim_param for d in value.type.tensor_type.shape.dim)]
    for tensor in graph.initializer:
        names += [tensor.name, *(text for entry in tensor.external_data for text in (entry.key, entry.value))]
    for name in names:
        if isinstance(name, bytes):
            name.decode()


def _check_versions(model: ModelProto, shown: str) -> None:
    from onnx.defs import onnx_opset_version

    versions = {entry.domain: entry.version for entry in model.opset_import}
    opset = versions.get("", versions.get("ai.onnx", 0))
    if not opset:
        hint = "is it truncated?"
        raise BuildError(Problem("ONNX003", "the file does not say which operator set it uses", hint, shown))
    newest = onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        message = f"operator set {opset} is not supported; {OLDEST_OPSET} to {newest} are"
        raise BuildError(Problem("ONNX003", message, "export the network with opset 17", shown))


def opset_of(model: ModelProto) -> int:
    """Version of the standard operator set."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def converted_file(path: Path, shown: str) -> bytes | None:
    """An old file in the operator set that it is converted to; None if it need not be."""
    if path.stat().st_size > LARGEST_OLD:
        return None
    model = _parse(_bytes(path, shown), shown)
    if opset_of(model) >= UNCONVERTED_OPSET:
        return None
    return bytes(_converted(model, shown).SerializeToString())


def _converted(model: ModelProto, shown: str) -> ModelProto:
    """A file of an operator set with other attributes (broadcasting, modes of training) in a newer one."""
    if opset_of(model) >= UNCONVERTED_OPSET:
        return model
    from onnx.version_converter import ConvertError, convert_version

    model.ir_version = max(model.ir_version, LISTED_IR + 1)
    try:
        return convert_version(model, UNCONVERTED_OPSET)
    except (ConvertError, RuntimeError, ValueError, TypeError) as error:
        message = f"it cannot be converted to operator set {UNCONVERTED_OPSET}: {first_line(error)}"
        raise BuildError(Problem("ONNX003", message, "export the network with opset 17", shown)) from None


def _inlined(model: ModelProto, shown: str) -> ModelProto:
    """Local functions, as newer PyTorch exporters write them, put in the place of their calls."""
    if not model.functions:
        return model
    from onnx.inliner import inline_local_functions

    try:
        return inline_local_functions(model)
    except (RuntimeError, ValueError) as error:
        message = f"its local functions cannot be expanded: {first_line(error)}"
        raise BuildError(Problem("ONNX014", message, "", shown)) from None


def printable(text: str) -> str:
    """A name out of the file as it may stand in a message: on one line, no control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def first_line(error: Exception) -> str:
    """What a library says is wrong, shortened to one line."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return printable(text)[:240]
