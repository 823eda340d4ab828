"""A new device, network, rule and operator each take the files that the architecture names, and no others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

TOYS = Path(__file__).parent / "toys"
ADDED = {
    "specs/devices/toy.yaml",
    "specs/networks/toy.yaml",
    "specs/networks/toy.onnx",
    "rules/rewrite/drop_double_negation.py",
    "rules/pipelines/toy.yaml",
    "flow/operators/negation.py",
    "ip_templates/negate/ip.yaml",
    "ip_templates/negate/negate.hpp",
    "ip_templates/negate/instance.jinja",
    "specs/toy_toy.yaml",
}


def toy_onnx(path: Path) -> None:
    """Convolution, then three negations, of which a rule removes two."""
    random = np.random.default_rng(0)
    weight = numpy_helper.from_array(random.normal(size=(4, 2, 3, 3)).astype(np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3])]
    nodes += [helper.make_node("Neg", [a], [b]) for a, b in (("c", "n1"), ("n1", "n2"), ("n2", "y"))]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6])]
    ends += [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 4, 4])]
    graph = helper.make_graph(nodes, "toy", ends[:1], ends[1:], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def add_toys(project: Path) -> None:
    device = yaml.safe_load((project / "specs/devices/zedboard.yaml").read_text())
    device["resources"] |= {"dsp": 40, "lut": 20000}
    (project / "specs/devices/toy.yaml").write_text(yaml.safe_dump(device))
    toy_onnx(project / "specs/networks/toy.onnx")
    (project / "specs/networks/toy.yaml").write_text("onnx: toy.onnx\n")
    (project / "specs/toy_toy.yaml").write_text(
        "network: toy\ndevice: toy\nbatch: 2\npipeline: toy\nexplore: {generations: 2, population: 8}\n"
    )
    pipeline = (project / "rules/pipelines/default.yaml").read_text()
    entry = "rewrite:\n  - {rule: drop_double_negation, why: a toy}\n"
    (project / "rules/pipelines/toy.yaml").write_text(pipeline.replace("rewrite:\n", entry, 1))
    shutil.copy(TOYS / "drop_double_negation.py", project / "rules/rewrite")
    shutil.copy(TOYS / "negation.py", project / "flow/operators")
    shutil.copytree(TOYS / "negate", project / "ip_templates/negate")


def sources(project: Path) -> dict[str, bytes]:
    kept = (p for p in project.rglob("*") if p.is_file() and "build" not in p.relative_to(project).parts[:1])
    return {p.relative_to(project).as_posix(): p.read_bytes() for p in kept if "__pycache__" not in p.parts}


def test_a_toy_of_each_kind(project: Path, run: Callable[..., Any]) -> None:
    before = sources(project)
    add_toys(project)
    after = sources(project)
    assert {name for name in after if before.get(name) != after[name]} == ADDED
    outcome = run(project, "build", "spec=toy_toy")
    assert outcome.status == 0, outcome.output
    layers = json.loads((project / "build/toy_toy/report/layers.json").read_text())
    assert "FIFOs by rule beside negate" in outcome.output
    assert [layer["ip"] for layer in layers].count("negate") == 1
    verification = json.loads((project / "build/toy_toy/report/verification.json").read_text())
    assert verification["csim_equals_emulator"] is True
    assert verification["sqnr_db"] > 50
    assert '"board": "linux"' in (project / "build/toy_toy/host/host.json").read_text()
    outcome = run(project, "board", "spec=toy_toy", "frames=3")
    assert outcome.status == 0 and "equal to the emulator in every bit" in outcome.output, outcome.output
    log = next((project / "build/networks").glob("toy-*/rewrite-*/rewrite.log")).read_text()
    assert "drop_double_negation: 1 place" in log


def test_a_folder_of_the_users_own_rules(project: Path, run: Callable[..., Any]) -> None:
    """The same rule from a folder beside the spec."""
    add_toys(project)
    own = project / "mine" / "rewrite"
    own.mkdir(parents=True)
    (project / "rules/rewrite/drop_double_negation.py").rename(own / "drop_double_negation.py")
    spec = project / "specs/toy_toy.yaml"
    spec.write_text(spec.read_text() + "rules: [../mine]\n")
    outcome = run(project, "rewrite", "spec=toy_toy")
    assert outcome.status == 0, outcome.output
    log = next((project / "build/networks").glob("toy-*/rewrite-*/rewrite.log")).read_text()
    assert "drop_double_negation: 1 place" in log
