"""The groups: a name, what it measures, and the function that does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flow.benchmarks.board import board
from flow.benchmarks.builds import accuracy, builds, vgg16
from flow.benchmarks.coverage import PARTS as COVERAGE
from flow.benchmarks.csim import csim
from flow.benchmarks.explore import PARTS as EXPLORE
from flow.benchmarks.explore import Bench
from flow.benchmarks.fidelity import fidelity
from flow.benchmarks.record import Record, machine, table
from flow.benchmarks.speed import speed
from flow.benchmarks.timed import timed
from flow.diagnostics import BuildError, Problem, suggest

Say = Callable[[str], None]
Parts = Mapping[str, Callable[[Bench], list[Record]]]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of measurements; `parts` can be run one by one."""

    run: Callable[[Path, Path, Path | None], list[Record]]
    doc: str
    parts: Parts = field(default_factory=dict)


def _of_parts(parts: Parts, doc: str) -> Group:
    """A group of parts."""

    def run(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
        return _parts(parts, Bench(root, build_dir, _silent, networks))

    return Group(run, f"{doc}; part=NAME runs one of {', '.join(parts)}", parts)


def _parts(parts: Parts, bench: Bench) -> list[Record]:
    records, say = [], bench.say
    for name, run in parts.items():
        folder = bench.build_dir / name
        folder.mkdir(parents=True, exist_ok=True)
        found = run(replace(bench, build_dir=folder))
        if len(parts) > 1:
            say(table(found).rstrip())
        records += found
    return records


def _silent(text: str) -> None:
    """Nobody listens."""


GROUPS: Mapping[str, Group] = {
    "vgg16": Group(vgg16, "VGG16 on ZC706: the whole build, the published design's throughput, the no-op"),
    "accuracy": Group(accuracy, "LeNet-5 and ResNet-8: compiled C++ in both modes, accuracy, fidelity"),
    "builds": Group(builds, "every shipped spec through the whole build"),
    "board": Group(board, "LeNet-5, ResNet-8 and VGG16 through the host program on the virtual board"),
    "speed": Group(speed, "emulator, population evaluation, start-up"),
    "csim": Group(csim, "native C simulation: MMAC/s of a convolution, what a million weights add to compilation"),
    "timed": Group(timed, "timed simulation of a VGG16 partition: speed, and equal cycles in all three forms"),
    "fidelity": Group(fidelity, "models beside simulation and measured boards"),
    "explore": _of_parts(EXPLORE, "exploration"),
    "coverage": _of_parts(
        COVERAGE, "ONNX graphs and operator cases; networks=DIR, else the tests' graphs and onnx's own"
    ),
}


def groups_table() -> str:
    """What `doit benchmarks` prints."""
    return "".join(f"{name:<10} {group.doc}\n" for name, group in GROUPS.items())


def run_group(
    name: str, root: Path, out: Path, networks: Path | None = None, part: str | None = None, say: Say = _silent
) -> str:
    """Run one group, write `<out>/<name>.json`, return the table.

    Args:
        networks: folder of graphs, for the group that takes one.
        part: of a group that has parts; the file keeps what other parts have found with the same code.
        say: told of the progress, line by line.

    Raises:
        BuildError: CLI009 for a group, part or folder that is not there.
    """
    if name not in GROUPS:
        raise BuildError(Problem("CLI009", f"there is no group '{name}'", suggest(name, GROUPS)))
    if networks is not None and not networks.is_dir():
        raise BuildError(Problem("CLI009", f"there is no folder '{networks}'"))
    parts = GROUPS[name].parts
    if part is not None and part not in parts:
        message = f"the group '{name}' has no part '{part[:40]}'" if parts else f"the group '{name}' has no parts"
        raise BuildError(Problem("CLI009", message, suggest(part, parts) if parts else ""))
    scratch = out / f"{name}.build"
    scratch.mkdir(parents=True, exist_ok=True)
    file, code = out / f"{name}.json", _code(root)
    chosen = {part: parts[part]} if part else parts
    records = (
        _parts(chosen, Bench(root, scratch.absolute(), say, networks))
        if parts
        else GROUPS[name].run(root, scratch.absolute(), networks)
    )
    kept = _other_parts(file, part, code) if part else []
    found = {"machine": machine(), "code": code, "records": [*kept, *(r.as_json() for r in records)]}
    file.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return table(records)


def _other_parts(file: Path, part: str, code: str) -> list[dict[str, Any]]:
    """Records of other parts in the file, if the same code made them."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return [r for r in known["records"] if known["code"] == code and not r["what"].startswith(f"{part}:")]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _code(root: Path) -> str:
    """Digest of all that figures depend on: the engine, rules, data sheets and parts of specs."""
    state = hashlib.sha256()
    for folder in ("flow", "rules", "ip_templates", "specs"):
        for path in sorted(
            p for p in (root / folder).rglob("*") if p.suffix in (".py", ".cpp", ".h", ".yaml", ".json")
        ):
            state.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return state.hexdigest()[:16]
