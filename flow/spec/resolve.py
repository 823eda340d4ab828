"""A build's YAML and the parts it names → a frozen `Build`, or all their problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.spec.build import Build, CalibrationChoice, Device, Explore, Network, Simulate
from flow.spec.network import read_network
from flow.spec.origins import origins
from flow.spec.parts import Part, Reading, find_calibration, find_pipeline, read_folder, read_part
from flow.spec.schema import check, under
from flow.spec.settings import device_problems, read_constraints, read_device, read_objective, read_precision
from flow.spec.value import Value

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_BATCH = 256
_RESERVED = ("networks", "benchmarks")  # folders of build/ with another meaning


def resolve(path: Path, project: Path = PROJECT) -> Build:
    """Read one build.

    Args:
        path: its YAML file.
        project: the folder that has specs/ and rules/.

    Raises:
        BuildError: with every problem of every file that was read.
    """
    path, project = Path(path).absolute(), Path(project).absolute()
    reading = Reading(project)
    spec = reading.document(path)
    if spec is None:
        raise BuildError(tuple(reading.problems))
    found = check(spec, "build")
    reading.problems += [problem for _, problem in found]
    name = build_name(path, reading)
    keys = ("network", "device", "constraints")
    parts = {key: read_part(reading, spec, key, path.parent, under(found, key)) for key in keys}
    network = read_network(reading, parts["network"], name) if parts["network"] else None
    device = read_device(parts["device"], name) if parts["device"] else None
    pipeline, pipeline_path = find_pipeline(reading, spec, path.parent, under(found, "pipeline"))
    folders = None if under(found, "rules") else spec.get("rules")
    rules = [read_folder(reading, value, path.parent) for value in (folders.items if folders else ())]
    file, path_of_file = find_calibration(reading, spec, path.parent)
    if reading.problems or network is None or device is None:
        raise BuildError(tuple(dict.fromkeys(reading.problems)))
    plain = spec.plain()
    factors = {key: float(v) for key, v in plain.get("calibration", {}).items() if key != "file"}
    build = Build(
        name=name,
        network=network,
        device=device,
        clock_mhz=float(plain.get("clock_mhz", device.clock_guide_mhz)),
        batch=plain.get("batch", DEFAULT_BATCH),
        precision=read_precision(plain.get("precision", {})),
        objective=read_objective(plain.get("objective", "throughput")),
        constraints=read_constraints(parts["constraints"].value.plain() if parts["constraints"] else {}),
        pipeline=pipeline,
        pipeline_path=pipeline_path,
        rules=tuple(rule for rule in rules if rule),
        rules_text=tuple(plain.get("rules", ())),
        explore=Explore(**plain.get("explore", {})),
        simulate=_simulate(plain.get("simulate", {}), network),
        calibration=CalibrationChoice(file, path_of_file, **factors),
        files=tuple(reading.files),
        origins=origins(spec, parts),
        warnings=tuple(_warnings(spec, device)),
    )
    problems = _contradictions(spec, build, parts["device"])
    if problems:
        raise BuildError(problems)
    return build


def build_name(path: Path, reading: Reading | None = None) -> str:
    """The file's stem with everything that a folder's name should not have replaced."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip(".-") or "spec"
    if reading and name in _RESERVED:
        message = f"a build cannot be called '{name}': build/{name} has another meaning"
        reading.problems.append(Problem("SPEC010", message, "rename the file", reading.shown(path)))
    return name[:100]


def _simulate(plain: Mapping[str, Any], network: Network) -> Simulate:
    return Simulate(**{"images": "data" if network.data else "random"} | dict(plain))


def _warnings(spec: Value, device: Device) -> Iterable[Problem]:
    clock = spec.get("clock_mhz")
    if clock and isinstance(clock.data, int | float) and clock.data > device.clock_guide_mhz:
        message = f"{clock.data} MHz is above the guide clock of {device.name}, {device.clock_guide_mhz:g} MHz"
        hint = "timing may not close; the model does not know"
        problem = clock.place.problem("SPEC040", message, hint)
        yield Problem(problem.code, message, hint, problem.file, problem.line, problem.column, severity="warning")


def _contradictions(spec: Value, build: Build, device: Part | None) -> tuple[Problem, ...]:
    """Values that are each possible but not together."""
    problems = []
    simulate = spec.get("simulate")
    images = simulate.get("images") if simulate else None
    if images and build.simulate.images == "data" and build.network.data is None:
        message = f"network '{build.network.name}' has no data to simulate with"
        problems.append(images.place.problem("SPEC041", message, "write images: random, or give the network data"))
    if device:
        problems += device_problems(device.value, build.device)
    return tuple(problems)
