"""Stored tensors of an ONNX file as float32 or integer arrays: types, sizes, external data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flow.diagnostics import BuildError, Problem, quoted
from flow.frontend.limits import LARGEST_FILE, MOST_ELEMENTS
from flow.ir import Array

if TYPE_CHECKING:
    from onnx import TensorProto

_LOWEST = float(np.finfo(np.float32).min)
_FLOATS = ("FLOAT", "FLOAT16", "DOUBLE")
_OTHERS = ("INT64", "INT32", "INT16", "INT8", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL", "STRING")


def type_name(data_type: int) -> str:
    """`FLOAT`, `INT64`, ... or the number of an unknown type."""
    from onnx import TensorProto

    known: dict[int, str] = {int(v): str(k) for k, v in TensorProto.DataType.items()}
    return known.get(data_type, str(data_type))


def is_float(data_type: int) -> bool:
    return type_name(data_type) in _FLOATS


def array_of(tensor: TensorProto, folder: Path, shown: str) -> Array:
    """The tensor's values, floats as float32; BuildError where type, size or data are wrong.

    Args:
        tensor: the stored tensor.
        folder: of the ONNX file; external data must lie below it.
        shown: name of the ONNX file in messages.
    """
    from onnx import TensorProto, numpy_helper

    check_size(tensor, shown)
    kind = type_name(tensor.data_type)
    if kind not in _FLOATS + _OTHERS:
        hint = "export weights as float32, float16 or float64"
        raise BuildError(Problem("ONNX009", f"{_called(tensor)} is of type {kind}", hint, shown))
    if tensor.data_location == TensorProto.EXTERNAL:
        values = _external(tensor, folder, shown)
    else:
        try:
            values = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, IndexError) as error:
            raise BuildError(_broken(tensor, str(error).partition("\n")[0], shown)) from None
    if kind not in _FLOATS:
        return values
    # A single infinity is a bound or a fill value; among weights it is not.
    if np.any(np.isnan(values)) or (values.size > 1 and not np.all(np.isfinite(values))):
        hint = "the training has diverged, or the file is damaged"
        raise BuildError(Problem("ONNX013", f"{_called(tensor)} holds values that are not finite", hint, shown))
    return np.asarray(np.clip(values, _LOWEST, -_LOWEST) if kind == "DOUBLE" else values, np.float32)


def check_size(tensor: TensorProto, shown: str) -> None:
    """Refuse negative and absurd sizes before anything is allocated."""
    sizes = tuple(int(d) for d in tensor.dims)
    if any(d < 0 for d in sizes) or math.prod(sizes) > MOST_ELEMENTS:
        message = f"{_called(tensor)} has the absurd size {'x'.join(map(str, sizes))}"
        raise BuildError(Problem("ONNX012", message, "a tensor may have up to 2^31 values", shown))


def _external(tensor: TensorProto, folder: Path, shown: str) -> Array:
    """Values from a file beside the ONNX file; only the needed bytes are read."""
    from onnx.helper import tensor_dtype_to_np_dtype

    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = _safe_path(entries.get("location", ""), folder, tensor, shown)
    dtype = np.dtype(tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
    count = math.prod(int(d) for d in tensor.dims)
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(count * dtype.itemsize)))
        size = path.stat().st_size
    except (OSError, ValueError):
        raise BuildError(_broken(tensor, "its external data cannot be read", shown)) from None
    if length != count * dtype.itemsize or offset < 0 or offset + length > size or length > LARGEST_FILE:
        raise BuildError(_broken(tensor, f"its external data does not hold {count} values", shown))
    values = np.fromfile(path, dtype, count, offset=offset)
    return values.reshape(tuple(tensor.dims))


def _safe_path(location: str, folder: Path, tensor: TensorProto, shown: str) -> Path:
    """The external file; it must lie in the folder of the ONNX file, links resolved."""
    try:
        root = folder.resolve()
        path = (root / location).resolve()
        inside = bool(location) and path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        message = f"{_called(tensor)} is in the external file {quoted(location)}, which is not in the file's folder"
        raise BuildError(Problem("ONNX005", message, "put the external data beside the ONNX file", shown))
    return path


def _called(tensor: TensorProto) -> str:
    return f"tensor {quoted(tensor.name)}" if tensor.name else "a constant without a name"


def _broken(tensor: TensorProto, why: str, shown: str) -> Problem:
    return Problem("ONNX013", f"{_called(tensor)} is damaged: {why}", "export the network again", shown)
