"""Records of a real design: every module of the lowered hardware, named after the user's node."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.fixed_point import Format, Numbers
from flow.ir import Folding, Graph, Node
from flow.model.bounds import Bounds
from flow.model.datasheet import load_catalogue
from flow.model.hardware import Design, Hardware, PartitionDesign
from flow.model.lowering import lower
from flow.model.memory import memory_system
from flow.model.performance import Performance, evaluate
from flow.model.resources import limits
from flow.operators.add import Add
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.report import ReportInputs, layer_records, render_page, terminal_table
from flow.spec import Device, Memory, Resources, Utilisation
from tests.report.contract import LAYER, PERFORMANCE, departures

TEMPLATES = Path(__file__).parents[2] / "ip_templates"
DEVICE = Device(
    name="board",
    part="part",
    board="",
    platform="",
    family="zynq7000",
    resources=Resources(900, 1090, 0, 218600, 437200),
    dsp_type="DSP48E1",
    memories=(Memory("ps", 1.0, 34.1, 0.75, 4, 64, 16, True),),
    clock_guide_mhz=125.0,
    host="none",
    reconfiguration_s=0.1,
    configuration_bits=None,
    source="",
)


def _conv() -> Conv:
    return Conv(8, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))


def _numbers(node: Node) -> Numbers:
    sixteen = Format(16, 0)
    return Numbers((sixteen,) * len(node.inputs), sixteen, sixteen, 48)


GRAPH = Graph(
    "net",
    (("x", (3, 6, 6)),),
    ("y",),
    (
        Node("a", _conv(), ("x",), (8, 6, 6), "net.onnx#first"),
        Node("b", _conv(), ("a",), (8, 6, 6), "net.onnx#second"),
        Node("c", Add(), ("a", "b"), (8, 6, 6), "net.onnx#sum"),
        Node("y", Gemm(10), ("c",), (10,), "net.onnx#scores"),
    ),
)
FOLDINGS = {"a": Folding(3, 4), "b": Folding(2, 4, 1, 3), "c": Folding(4, 4), "y": Folding(4, 1)}


def _designed() -> tuple[Hardware, Performance]:
    parts = tuple(PartitionDesign(names, {n: FOLDINGS[n] for n in names}) for names in (("a", "b", "c"), ("y",)))
    memory = memory_system(DEVICE)
    hardware = lower(GRAPH, Design("net", "board", 125.0, 16, parts), _numbers, memory.port_bits)
    usable = limits(DEVICE.resources, Utilisation())
    bounds = Bounds(1e6, {"bandwidth": 2e6})
    return hardware, evaluate(hardware, GRAPH, DEVICE, load_catalogue(TEMPLATES, DEVICE.dsp_type), usable, bounds)


@pytest.fixture(scope="module")
def designed() -> tuple[Hardware, Performance]:
    return _designed()


def test_every_module_has_a_record(designed: tuple[Hardware, Performance]) -> None:
    hardware, performance = designed
    records = layer_records(hardware, GRAPH, performance)
    assert not [d for r in records for d in departures(r, LAYER, r["name"])]
    assert [(r["partition"], r["name"]) for r in records] == [
        (p.index, m.name) for p in hardware.partitions for m in p.modules
    ]
    layers = {r["node"]: r for r in records if r["operator"]}
    assert set(layers) == set(FOLDINGS)
    assert {n: r["folding"] for n, r in layers.items()} == {n: f.as_json() for n, f in FOLDINGS.items()}
    assert layers["b"]["origin"] == "net.onnx#second" and layers["b"]["operator"] == "conv"
    assert sum(r["macs"] for r in records) == GRAPH.macs()
    assert {r["ip"] for r in records if not r["operator"]} >= {"fork", "memory_read", "memory_write"}


def test_records_are_wired_like_the_hardware(designed: tuple[Hardware, Performance]) -> None:
    hardware, performance = designed
    records = [r for r in layer_records(hardware, GRAPH, performance) if r["partition"] == 0]
    by_name = {r["name"]: r for r in records}
    adder = next(r for r in records if r["ip"] == "add")
    reached, waiting = set(), list(adder["inputs"])
    while waiting:
        name = waiting.pop()
        reached.add(by_name[name]["ip"])
        waiting += by_name[name]["inputs"]
    assert len(adder["inputs"]) == 2 and reached >= {"convolution", "fork", "memory_read", "weights_read"}


def test_a_real_design_is_reported(designed: tuple[Hardware, Performance]) -> None:
    hardware, performance = designed
    figures = {"spec": "net_board", "network": "net", "device": "board", **performance.as_json()}
    assert not list(departures(figures, PERFORMANCE, "performance.json"))
    records = tuple(layer_records(hardware, GRAPH, performance))
    inputs = ReportInputs(figures, records, design=hardware.design.as_json())
    assert "net.onnx#second" in render_page(inputs)
    assert "net on board" in terminal_table(inputs)
