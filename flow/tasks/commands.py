"""Commands for people: what is there, what a spec means, a new spec, the project's own checks and measurements."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from flow.diagnostics import BuildError, Problem, render_all, suggest
from flow.spec import Build, device_table, show
from flow.tasks.project import Project


@dataclass(frozen=True, slots=True)
class Request:
    """What a command is given."""

    project: Project
    builds: tuple[Build, ...]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that always runs: its action, its one-line description, the words it takes besides `spec`."""

    run: Callable[[Request], None]
    doc: str
    words: tuple[str, ...] = ()


def command_task(name: str, project: Project, builds: Sequence[Build], words: Mapping[str, str]) -> Any:
    """The doit task of a command."""
    command, request = COMMANDS[name], Request(project, tuple(builds), words)

    def action() -> TaskFailed | None:
        try:
            command.run(request)
        except BuildError as error:
            return TaskFailed(render_all(error.problems))
        return None

    return lambda: {"actions": [(action,)], "doc": command.doc, "verbosity": 2}


def _show(request: Request) -> None:
    for build in request.builds:
        sys.stdout.write(show(build))


def _devices(request: Request) -> None:
    sys.stdout.write(device_table(request.project.root))


def _rules(request: Request) -> None:
    from flow.tasks.pipeline import rules_table

    sys.stdout.write(rules_table(request.project))


def _new(request: Request) -> None:
    """Write a spec for an ONNX file, to be edited."""
    words = request.words
    missing = [w for w in ("name", "onnx", "device") if w not in words]
    if missing:
        raise BuildError(Problem("CLI007", f"'{missing[0]}=' is missing", "doit new name=NAME onnx=FILE device=DEVICE"))
    devices = sorted(p.stem for p in (request.project.specs / "devices").glob("*.yaml"))
    if words["device"] not in devices:
        raise BuildError(
            Problem("CLI008", f"there is no device '{words['device']}'", suggest(words["device"], devices))
        )
    name, onnx = words["name"], Path(words["onnx"])
    if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
        raise BuildError(Problem("CLI008", "a name has letters, digits, '_' and '-' only", ""))
    if not onnx.is_file():
        raise BuildError(Problem("CLI005", f"there is no file '{onnx}'", "a path is relative to the current folder"))
    path = request.project.specs / f"{name}.yaml"
    if path.exists():
        raise BuildError(Problem("CLI008", f"specs/{name}.yaml is already there", "choose another name, or edit it"))
    path.write_text(_SPEC.format(onnx=str(onnx.resolve()).replace("'", "''"), device=words["device"]), encoding="utf-8")
    sys.stdout.write(f"specs/{name}.yaml written; next: doit estimate spec={name}\n")


_SPEC = """# yaml-language-server: $schema=schemas/build.schema.json
network: {{onnx: '{onnx}'}}
device: {device}
batch: 1
"""


def _run(request: Request, *commands: Sequence[str]) -> None:
    """Run programs one after the other in the project's folder; the first that fails ends it."""
    for command in commands:
        if subprocess.run(command, cwd=request.project.root, check=False).returncode:
            raise BuildError(Problem("TOOL006", f"failed: {' '.join(command[2:])}"))


def _check(request: Request) -> None:
    python = (sys.executable, "-m")
    _run(
        request,
        (*python, "ruff", "check", "."),
        (*python, "mypy", "flow", "rules"),
        (*python, "pytest", "-p", "no:cacheprovider"),
    )


def _check_long(request: Request) -> None:
    _run(request, (sys.executable, "-m", "pytest", "-m", "slow"))


def _readme(request: Request) -> None:
    _run(request, (sys.executable, "-m", "pytest", "-m", "readme_long", "tests/readme"))


def _benchmarks(request: Request) -> None:
    from flow.benchmarks import groups_table, run_group

    project, words = request.project, request.words
    if "name" not in words:
        sys.stdout.write(groups_table())
        return
    folder = Path(words["networks"]) if "networks" in words else None
    sys.stdout.write(run_group(words["name"], project.root, project.build_dir / "benchmarks", folder))


COMMANDS: Mapping[str, Command] = {
    "show": Command(_show, "a spec as it is resolved, each value with where it came from"),
    "devices": Command(_devices, "the devices that are known"),
    "rules": Command(_rules, "the rules that are known, and the default pipeline"),
    "new": Command(_new, "a new spec: doit new name=NAME onnx=FILE device=DEVICE", ("name", "onnx", "device")),
    "check": Command(_check, "lint, types and tests"),
    "check_long": Command(_check_long, "the longer checks"),
    "readme": Command(_readme, "run the commands of the README that take minutes"),
    "benchmarks": Command(_benchmarks, "a group of measurements: doit benchmarks name=NAME", ("name", "networks")),
}
