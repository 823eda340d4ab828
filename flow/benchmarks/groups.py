"""The groups: a name, what it measures, and the function that does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.benchmarks.builds import accuracy, builds, vgg16
from flow.benchmarks.coverage import coverage
from flow.benchmarks.fidelity import fidelity
from flow.benchmarks.record import Record, machine, table
from flow.benchmarks.speed import speed
from flow.benchmarks.timed import timed
from flow.diagnostics import BuildError, Problem, suggest


@dataclass(frozen=True, slots=True)
class Group:
    """A group of measurements."""

    run: Callable[[Path, Path, Path | None], list[Record]]
    doc: str


GROUPS: Mapping[str, Group] = {
    "vgg16": Group(vgg16, "VGG16 on ZC706: the whole build, the published design's throughput, the no-op"),
    "accuracy": Group(accuracy, "LeNet-5 and ResNet-8: compiled C++ in both modes, accuracy, fidelity"),
    "builds": Group(builds, "every shipped spec through the whole build"),
    "speed": Group(speed, "emulator, population evaluation, start-up"),
    "timed": Group(timed, "timed simulation of a VGG16 partition: speed, and equal cycles in all three forms"),
    "fidelity": Group(fidelity, "models beside simulation and measured boards"),
    "coverage": Group(coverage, "which ONNX graphs pass `estimate`; networks=DIR, else the tests' and onnx's own"),
}


def groups_table() -> str:
    """What `doit benchmarks` prints."""
    return "".join(f"{name:<10} {group.doc}\n" for name, group in GROUPS.items())


def run_group(name: str, root: Path, out: Path, networks: Path | None = None) -> str:
    """Run one group, write `<out>/<name>.json`, return the table. CLI009 for a group or folder that is not there."""
    if name not in GROUPS:
        raise BuildError(Problem("CLI009", f"there is no group '{name}'", suggest(name, GROUPS)))
    if networks is not None and not networks.is_dir():
        raise BuildError(Problem("CLI009", f"there is no folder '{networks}'"))
    scratch = out / f"{name}.build"
    scratch.mkdir(parents=True, exist_ok=True)
    records = GROUPS[name].run(root, scratch.absolute(), networks)
    found = {"machine": machine(), "records": [r.as_json() for r in records]}
    (out / f"{name}.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return table(records)
