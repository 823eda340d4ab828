"""Small ONNX models as exporters write them, built in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Model:
    """Collects nodes and weights; `save` writes the file."""

    def __init__(self, *shape: int | str | None, opset: int = 17, kind: int = TensorProto.FLOAT) -> None:
        self.opset = opset
        self.random = np.random.default_rng(0)
        self.inputs = [helper.make_tensor_value_info("x", kind, shape)]
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []
        self.last = "x"
        self.domains = [helper.make_opsetid("", opset)]

    def weight(self, *shape: int, positive: bool = False, name: str = "", dtype: Any = np.float32) -> str:
        values = self.random.standard_normal(shape) * 0.3
        return self.constant((np.abs(values) + 0.5 if positive else values).astype(dtype), name)

    def constant(self, values: Any, name: str = "") -> str:
        name = name or f"w{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(
        self, kind: str, *others: str, source: str | None = None, out: str = "", n_out: int = 1, **given: Any
    ) -> str:
        name = out or f"t{len(self.nodes)}"
        outputs = [name, *(f"{name}_{i}" for i in range(1, n_out))]
        inputs = [self.last if source is None else source, *others]
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=f"{kind}_{len(self.nodes)}", **given))
        self.last = name
        return name

    def conv(self, channels: int, filters: int, kernel: int = 3, **attributes: Any) -> str:
        groups = attributes.get("group", 1)
        weight = self.weight(filters, channels // groups, kernel, kernel)
        return self.add("Conv", weight, self.weight(filters), **attributes)

    def proto(self, *outputs: str, as_inputs: bool = False) -> onnx.ModelProto:
        ends = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs or (self.last,)]
        listed = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.stored] if as_inputs else []
        graph = helper.make_graph(self.nodes, "g", [*self.inputs, *listed], ends, self.stored)
        return helper.make_model(graph, opset_imports=self.domains, ir_version=8)

    def save(self, folder: Path, *outputs: str, as_inputs: bool = False) -> Path:
        path = folder / "model.onnx"
        path.write_bytes(self.proto(*outputs, as_inputs=as_inputs).SerializeToString())
        return path
