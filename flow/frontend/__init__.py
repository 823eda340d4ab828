"""ONNX and declared layers in; a graph out. And back: a graph as ONNX, run by ONNX Runtime for comparison."""

from flow.frontend.declared import build_layers
from flow.frontend.export import export_onnx, onnx_model
from flow.frontend.importer import import_onnx
from flow.frontend.runtime import reference_outputs, runtime_outputs
from flow.frontend.tail import Tail, tail_of

__all__ = [
    "Tail",
    "build_layers",
    "export_onnx",
    "import_onnx",
    "onnx_model",
    "reference_outputs",
    "runtime_outputs",
    "tail_of",
]
