"""Builds: what is shipped loads, defaults and origins, names, own parts, canonical text."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.spec import Build, Explore, Precision, Simulate, Utilisation, device_table, resolve, resolved_json, show
from flow.spec.schema import SCHEMAS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "specs").glob("*.yaml"))
DEVICES = sorted((ROOT / "specs" / "devices").glob("*.yaml"))


def write(folder: Path, text: str, name: str = "my.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def problems(path: Path, project: Path = ROOT) -> str:
    with pytest.raises(BuildError) as caught:
        resolve(path, project)
    return render_all(caught.value.problems, project)


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_build_loads(spec: Path) -> None:
    build = resolve(spec)
    assert build.name == spec.stem and not build.warnings
    assert build.network.onnx or build.network.layers
    assert build.batch == (1 if build.network.onnx else 256)
    assert str(ROOT) not in resolved_json(build)


@pytest.mark.parametrize("device", DEVICES, ids=lambda path: path.stem)
def test_every_shipped_device_loads(device: Path, tmp_path: Path) -> None:
    build = resolve(write(tmp_path, f"network: vgg16\ndevice: {device.stem}\n"))
    assert build.device.name == device.stem and build.clock_mhz == build.device.clock_guide_mhz
    keeps = all(memory.survives_reconfiguration for memory in build.device.memories)
    assert keeps == (build.device.reconfiguration_s is not None)
    assert build.device.host in ("linux", "pynq") or build.device.reconfiguration_s is None


def test_a_part_file_says_which_schema_checks_it() -> None:
    for path in [*SHIPPED, *(ROOT / "specs").glob("*/*.yaml")]:
        first = path.read_text("utf-8").splitlines()[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / schema).is_file(), path


def test_the_main_build() -> None:
    build = resolve(ROOT / "specs" / "vgg16_zc706.yaml")
    assert (build.clock_mhz, build.batch, build.objective) == (125.0, 256, "throughput")
    assert build.constraints.utilisation == Utilisation() and build.precision == Precision()
    assert build.device.resources.bram18 == 1090 and build.device.memories[0].bandwidth_gbps == 34.1


def test_defaults_are_those_of_the_schema(tmp_path: Path) -> None:
    build = resolve(write(tmp_path, "network: vgg16\ndevice: zc706\n"))
    schema = json.loads((SCHEMAS / "build.schema.json").read_text("utf-8"))["properties"]
    assert build.batch == schema["batch"]["default"] and build.objective == schema["objective"]["default"]
    assert build.pipeline == schema["pipeline"]["default"]
    for part, value in (("explore", Explore()), ("simulate", Simulate()), ("precision", Precision())):
        for key, about in schema[part]["properties"].items():
            if "default" in about:
                assert getattr(value, key) == about["default"], key


def test_every_key_of_every_schema_is_described() -> None:
    for path in SCHEMAS.glob("*.json"):
        undescribed(json.loads(path.read_text("utf-8")), path.name)


def undescribed(schema: object, where: str) -> None:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            undescribed(item, f"{where}/{index}")
    if isinstance(schema, dict):
        for key, about in schema.get("properties", {}).items():
            if isinstance(about, dict) and where.rpartition("/")[2] != "properties":
                assert "description" in about or "$ref" in about, f"{where}/{key}"
        for key, item in schema.items():
            undescribed(item, f"{where}/{key}")


def test_precision_by_name_then_type_then_model(tmp_path: Path) -> None:
    text = """network: vgg16
device: zc706
precision:
  weights: 12
  types: {conv: {weights: 8, activations: 10}}
  layers: {conv1: {weights: 4}, 'conv*': {weights: 6}}
"""
    precision = resolve(write(tmp_path, text)).precision
    assert precision.of("conv1", "conv") == (4, 10)
    assert precision.of("conv2", "conv") == (6, 10)
    assert precision.of("fc1", "inner_product") == (12, 16)


def test_a_build_outside_the_project_with_inline_parts(tmp_path: Path) -> None:
    text = """network: {input: [4], layers: [fc: {units: 2}]}
device: zedboard
constraints: {utilisation: {dsp: 0.5}}
"""
    build = resolve(write(tmp_path, text, "näme with space.yaml"))
    assert build.name == "n_me_with_space" and build.network.name == build.name
    assert build.constraints.utilisation == Utilisation(dsp=0.5)


@pytest.mark.parametrize("name", ["u50", "u200", "u250"])
def test_a_cards_platform_takes_its_share(name: str, tmp_path: Path) -> None:
    """Of what the part has, designs get what the platform leaves; the share says where it is known from."""
    device = resolve(write(tmp_path, f"network: vgg16\ndevice: {name}\n")).device
    assert device.shell is not None and device.shell.source
    for kind in ("dsp", "bram18", "uram", "lut", "ff"):
        whole, taken = getattr(device.resources, kind), getattr(device.shell.takes, kind)
        assert getattr(device.usable, kind) == whole - taken > 0.7 * whole
    assert device.usable.lut < device.resources.lut


def test_a_toy_device_and_network_are_one_file_each(tmp_path: Path) -> None:
    for folder in ("networks", "devices"):
        (tmp_path / "specs" / folder).mkdir(parents=True)
    shutil.copy(ROOT / "specs/devices/zc706.yaml", tmp_path / "specs/devices/toy_board.yaml")
    write(tmp_path / "specs/networks", "input: [1, 4, 4]\nlayers: [relu]\n", "toy_net.yaml")
    build = resolve(write(tmp_path, "network: toy_net\ndevice: toy_board\n"), tmp_path)
    assert (build.network.name, build.device.name) == ("toy_net", "toy_board")


def test_a_broken_part_is_reported_in_its_own_file_with_the_rest(tmp_path: Path) -> None:
    for folder in ("networks", "devices"):
        (tmp_path / "specs" / folder).mkdir(parents=True)
    write(tmp_path / "specs/networks", "input: [1, 4, 4]\nlayers: [relu, rleu]\n", "toy.yaml")
    text = problems(write(tmp_path, "network: toy\ndevice: toy\nbatch: 0\n"), tmp_path)
    assert "my.yaml:3:8: error[SPEC005]" in text and "my.yaml:2:9: error[SPEC008]" in text
    assert "specs/networks/toy.yaml:2:16: error[SPEC002]" in text and "did you mean 'relu'?" in text


def test_pipelines_by_name_and_path(tmp_path: Path) -> None:
    head = "network: vgg16\ndevice: zc706\n"
    own = write(tmp_path, "rewrite: []\n", "own.yaml")
    build = resolve(write(tmp_path, head + "pipeline: own.yaml\n"))
    assert (build.pipeline, build.pipeline_path) == ("own.yaml", own)
    assert "error[SPEC008]: unknown pipeline 'defualt'" in problems(write(tmp_path, head + "pipeline: defualt\n"))


def test_a_clock_above_the_guide_is_a_warning(tmp_path: Path) -> None:
    build = resolve(write(tmp_path, "network: vgg16\ndevice: zc706\nclock_mhz: 300\n"))
    (warning,) = build.warnings
    assert (warning.code, warning.severity, warning.line, warning.column) == ("SPEC040", "warning", 3, 12)


def test_the_same_meaning_gives_the_same_text(tmp_path: Path) -> None:
    one = write(tmp_path, "network: vgg16\ndevice: zc706\nbatch: 8\n")
    first = resolved_json(resolve(one))
    write(tmp_path, "# a comment\nbatch: 8\n\ndevice:   zc706\nnetwork: 'vgg16'  # same\n")
    assert resolved_json(resolve(one)) == first
    write(tmp_path, "network: vgg16\ndevice: zc706\nbatch: 9\n")
    assert resolved_json(resolve(one)) != first
    assert first.endswith("}\n") and list(json.loads(first)) == sorted(json.loads(first))


def test_origins_are_keys(tmp_path: Path) -> None:
    build = resolve(write(tmp_path, "network: vgg16\ndevice: zc706\nconstraints: {utilisation: 0.8}\nbatch: 8\n"))
    rows = {line.split()[0]: line.split("  ")[-1].strip() for line in show(build).splitlines()}
    assert rows["batch"] == "spec: batch" and rows["objective"] == "default"
    assert rows["constraints.utilisation.dsp"] == "spec: constraints.utilisation"
    assert rows["clock_mhz"] == "device zc706: clock_guide_mhz"
    assert rows["network.layers"] == "network vgg16: layers" and rows["device.name"] == "spec: device"


@pytest.mark.parametrize("name", ["networks.yaml", "benchmarks.yaml"])
def test_names_of_build_folders_are_reserved(tmp_path: Path, name: str) -> None:
    assert "error[SPEC010]" in problems(write(tmp_path, "network: vgg16\ndevice: zc706\n", name))


def test_files_that_are_no_specs(tmp_path: Path) -> None:
    assert "error[SPEC009]: cannot read" in problems(tmp_path / "nowhere.yaml")
    assert "is not a file" in problems(tmp_path)
    assert "error[SPEC022]" in problems(write(tmp_path, "#" * (1 << 20) + "\n"))
    assert "is not a file" in problems(Path("/dev/zero"))


def test_the_build_is_frozen_and_hashable() -> None:
    build: Build = resolve(ROOT / "specs" / "resnet18_zcu102.yaml")
    assert isinstance(hash(build), int)


def test_resolving_is_fast_and_loads_nothing_heavy() -> None:
    code = """
import sys, time
start = time.process_time()
from flow.spec import resolve
resolve("specs/mobilenet_v2_zcu104.yaml")
spent = time.process_time() - start
heavy = {"numpy", "onnx", "scipy", "onnxruntime", "deap"} & set(sys.modules)
sys.exit(f"{spent:.2f} s, {heavy}" if spent > 0.5 or heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_of_devices_has_a_line_each() -> None:
    lines = device_table(ROOT).splitlines()
    assert len(lines) == 1 + len(DEVICES) and lines[0].startswith("device")
    assert any(line.startswith("zc706 ") and " 1090 " in line and "0.08255 s" in line for line in lines)


def test_a_device_that_contradicts_itself_is_refused_in_the_table_too(tmp_path: Path) -> None:
    folder = tmp_path / "specs/devices"
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "specs/schemas", tmp_path / "specs/schemas")
    text = (ROOT / "specs/devices/vcu118.yaml").read_text()
    (folder / "mine.yaml").write_text(text.replace("reconfiguration_s: null", "reconfiguration_s: 0.5"))
    with pytest.raises(BuildError, match="SPEC043"):
        device_table(tmp_path)
