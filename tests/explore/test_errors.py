"""What cannot be met is an error with the deciding figures, never a report."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from flow.benchmarks.explore.declared import RESNET152, resnet
from flow.diagnostics import BuildError, Problem
from flow.ir import Graph, Node
from flow.operators.add import Add
from flow.operators.batch_norm import BatchNorm
from flow.operators.convolution import Conv
from flow.operators.transpose import Transpose
from flow.spec import Constraints, Device
from tests.explore import devices, networks
from tests.explore.runs import ROOT, explored

QUICK = {"generations": 3, "population": 16}


def problems_of(graph: Graph, device: Device, batch: int = 16, **settings: object) -> tuple[Problem, ...]:
    with pytest.raises(BuildError) as caught:
        explored(graph, device, batch, **QUICK, **settings)
    return caught.value.problems


def test_a_layer_that_fits_nowhere_is_named_with_its_figures() -> None:
    graph = networks.chain((512,), (512, 256, 256))
    (problem,) = problems_of(graph, devices.device(100, 20, 50_000), 1)
    assert problem.code == "DSE002" and "'n0'" in problem.message and "BRAM18 of 18" in problem.message
    assert problem.file == "chain#n0"


def test_memory_that_is_too_small_is_named_with_its_figures() -> None:
    problems = problems_of(networks.chain(), devices.device(100, 100, 50_000, capacity_gb=1e-4), 256)
    assert [p.code for p in problems] == ["DSE003"] and "0.0001 GB" in problems[0].message
    assert "256 frames of 'n1' 0.000262 GB" in problems[0].message and "at most 97 frames" in problems[0].hint
    (problem,) = problems_of(networks.lenet5(), devices.device(100, 100, 50_000, capacity_gb=1e-4), 1)
    assert problem.code == "DSE003" and "layer 'n4'" in problem.hint


def test_a_rate_that_no_design_reaches_is_refused_before_the_search() -> None:
    (problem,) = problems_of(networks.lenet5(), devices.zedboard(), 1, constraints=Constraints(min_fps=1e6))
    assert problem.code == "DSE009" and "1e+06 fps" in problem.message and "dsp" in problem.message
    slow = devices.device(900, 1000, 200_000, bandwidth_gbps=0.01)
    (problem,) = problems_of(networks.chain(), slow, constraints=Constraints(min_fps=2000))
    # 64 pixels of one 64-bit word in, two out.
    assert problem.code == "DSE008" and f"{2000 * 64 * 3 * 64 / 1e9:.4g} Gb/s, most of it 'n1'" in problem.message
    assert "0.0075 Gb/s" in problem.message and f"{7.5e6 / (64 * 3 * 64):.4g} fps" in problem.message


def test_fifos_that_do_not_fit_are_listed() -> None:
    """A skip around a layer that needs half of a frame; one bitstream must hold it."""
    net = networks.Net("skip", (64, 32, 32))
    t = net.conv("x", 64, 15, groups=64)
    graph = net.graph(net.add(Add(), "x", t))
    device = devices.device(200, 80, 60_000, reconfiguration_s=None)
    (problem,) = problems_of(graph, device)
    assert problem.code == "DSE010" and "'x' waits in 15360 words of 16 bits" in problem.message


def test_energy_needs_the_device_s_figures() -> None:
    bare = replace(devices.zedboard(), energy=None)
    (problem,) = problems_of(networks.chain(), bare, objective="energy")
    assert problem.code == "DSE011" and "'zedboard' has no figures: energy" in problem.message
    memory = replace(bare.memories[0], pj_per_bit=None)
    (problem,) = problems_of(networks.chain(), replace(devices.zedboard(), memories=(memory,)), objective="energy")
    assert problem.code == "DSE011" and "pj_per_bit" in problem.message


def test_one_bitstream_that_cannot_hold_the_network() -> None:
    device = devices.device(100, 60, 50_000, reconfiguration_s=None)
    (problem,) = problems_of(networks.chain((64, 64, 64), (64, 16, 16)), device)
    assert problem.code == "DSE004" and "cannot be reconfigured" in problem.message and "of 54" in problem.message


def test_every_node_without_hardware_is_listed() -> None:
    shape = (4, 6, 6)
    wide = Conv(4, (3, 3), (1, 1), (2, 2), (2, 2), (2, 2), bias=False)
    nodes = (
        Node("a", BatchNorm(), ("x",), shape, "net.onnx#bn"),
        Node("b", Transpose((0, 2, 1)), ("a",), shape),
        Node("c", wide, ("b",), shape),
    )
    graph = Graph("net", (("x", shape),), ("c",), nodes)
    problems = problems_of(graph, devices.zc706())
    assert [p.code for p in problems] == ["DSE001"] * 3
    assert [p.message.split(":")[0] for p in problems] == ["node 'a'", "node 'b'", "node 'c'"]
    assert problems[0].file == "net.onnx#bn"


def test_constraints_on_the_result() -> None:
    (problem,) = problems_of(networks.lenet5(), devices.zedboard(), 1, constraints=Constraints(min_fps=100))
    assert problem.code == "DSE006" and "100 fps" in problem.message
    (problem,) = problems_of(networks.lenet5(), devices.zedboard(), 1, constraints=Constraints(max_latency_s=1e-6))
    assert problem.code == "DSE006" and "1e-06 s" in problem.message


def test_a_limit_on_partitions_is_kept_or_refused() -> None:
    graph, device = networks.chain((32, 32, 32), (32, 12, 12)), devices.device(64, 40, 40_000, reconfiguration_s=1e-6)
    free = explored(graph, device, 64, **QUICK)
    assert len(free.design.partitions) > 2
    held = explored(graph, device, 64, constraints=Constraints(max_partitions=2), **QUICK)
    assert len(held.design.partitions) <= 2
    assert held.performance.throughput_fps <= free.performance.throughput_fps


def test_a_network_far_too_large_ends_with_what_decides(tmp_path: Path) -> None:
    """ResNet-152 in one bitstream of a ZyBo without reloading: the worst layers, the sum, and nothing is written."""
    pipeline = (ROOT / "rules/pipelines/default.yaml").read_text("utf-8").splitlines()
    (tmp_path / "plain.yaml").write_text("\n".join(line for line in pipeline if "weights_reloading" not in line))
    network = textwrap.indent(resnet(RESNET152), "  ")
    spec = f"network:\n{network}device: zybo\nconstraints: {{max_partitions: 1}}\npipeline: {tmp_path}/plain.yaml\n"
    (tmp_path / "large.yaml").write_text(spec)
    command = (sys.executable, "-m", "doit", "estimate", f"spec={tmp_path}/large.yaml", f"build_dir={tmp_path}/out")
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    text = run.stdout + run.stderr
    assert run.returncode != 0 and "Traceback" not in text
    assert text.count("error[DSE002]") == 7 and "123 further layers" in text
    assert re.search(r"layer 'first4_conv2' \(conv\): its smallest folding needs \d+ BRAM18 of 108", text)
    assert re.search(r"DSE004\]: only one partition is allowed.* \d+ BRAM18 of 108.*'first4_conv2' alone", text)
    assert "hint: allow weights_reloading" in text and "or allow partitions" in text
    assert [p.name for p in (tmp_path / "out/large").iterdir()] == ["resolved.json"]


def test_layers_that_fit_alone_but_not_together() -> None:
    device = devices.device(100, 60, 50_000, reconfiguration_s=1e-3)
    limit = Constraints(max_partitions=1)
    (problem,) = problems_of(networks.chain((64, 64, 64), (64, 16, 16)), device, constraints=limit)
    assert problem.code == "DSE004" and "only one partition is allowed" in problem.message
    assert (
        "BRAM18 of 54" in problem.message and " LUT of" not in problem.message and "or allow partitions" in problem.hint
    )
