"""Commands for people: what is there, what a spec means, a new spec, the project's own checks and measurements."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from flow.diagnostics import BuildError, Problem, quoted, render_all, suggest
from flow.spec import Build, device_table, show
from flow.tasks.files import write_atomically
from flow.tasks.project import Project


@dataclass(frozen=True, slots=True)
class Request:
    """What a command is given; paths in its words are relative to `here`."""

    project: Project
    builds: tuple[Build, ...]
    words: Mapping[str, str]
    here: Path


@dataclass(frozen=True, slots=True)
class Command:
    """A command that always runs: its action, its one-line description, the words it takes besides `spec`."""

    run: Callable[[Request], None]
    doc: str
    words: tuple[str, ...] = ()


def command_task(name: str, request: Request) -> Any:
    """The doit task of a command."""
    command = COMMANDS[name]

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
    problems = tuple(_new_problems(request))
    if problems:
        raise BuildError(problems)
    name, onnx = words["name"], Path(os.path.abspath(request.here / words["onnx"]))
    text = _SPEC.format(onnx=str(onnx).replace("'", "''"), device=words["device"])
    write_atomically(request.project.specs / f"{name}.yaml", text)
    sys.stdout.write(f"specs/{name}.yaml written; next: doit estimate spec={name}\n")


def _new_problems(request: Request) -> Iterator[Problem]:
    """Everything that is wrong with the words of `doit new`."""
    words, specs = request.words, request.project.specs
    for word in ("name", "onnx", "device"):
        if word not in words:
            yield Problem("CLI007", f"'{word}=' is missing", "doit new name=NAME onnx=FILE device=DEVICE")
    devices = sorted(p.stem for p in (specs / "devices").glob("*.yaml"))
    if words.get("device", devices[0]) not in devices:
        yield Problem("CLI008", f"there is no device {quoted(words['device'])}", suggest(words["device"], devices))
    name = words.get("name", "new")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        yield Problem("CLI008", f"{quoted(name)} is not a name", "it has letters, digits, '_' and '-' only")
    elif "name" in words and (specs / f"{name}.yaml").exists():
        yield Problem("CLI008", f"specs/{name}.yaml is already there", "choose another name, or edit it")
    if "onnx" in words and not (request.here / words["onnx"]).is_file():
        hint = "a path is relative to the current folder"
        yield Problem("CLI005", f"there is no file {quoted(words['onnx'])}", hint)


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
        (*python, "mypy", "flow", "rules", "ip_templates/host"),
        (*python, "pytest", "-p", "no:cacheprovider", "-n", "2"),
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
    folder = request.here / words["networks"] if "networks" in words else None
    out = project.build_dir / "benchmarks"
    sys.stdout.write(run_group(words["name"], project.root, out, folder, words.get("part"), _told))


def _told(text: str) -> None:
    """Progress of what takes long, where a log or a person sees it at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _evaluate(request: Request) -> None:
    from flow.tasks.evaluate import evaluate_file

    if "design" not in request.words:
        raise BuildError(Problem("CLI007", "'design=' is missing", "doit evaluate design=FILE.yaml"))
    sys.stdout.write(evaluate_file(request.project, Path(os.path.abspath(request.here / request.words["design"]))))


def _calibrate(request: Request) -> None:
    from flow.tasks.calibrate import calibrate_reports

    sys.stdout.write(calibrate_reports(request.project, request.words, request.here))


COMMANDS: Mapping[str, Command] = {
    "show": Command(_show, "a spec as it is resolved, each value with where it came from"),
    "devices": Command(_devices, "the devices that are known"),
    "rules": Command(_rules, "the rules that are known, and the default pipeline"),
    "new": Command(_new, "a new spec: doit new name=NAME onnx=FILE device=DEVICE", ("name", "onnx", "device")),
    "evaluate": Command(_evaluate, "cost a hand-written design: doit evaluate design=FILE.yaml", ("design",)),
    "calibrate": Command(
        _calibrate, "LUTs and FFs from vendor reports: doit calibrate reports=FOLDER [out=FILE]", ("reports", "out")
    ),
    "check": Command(_check, "lint, types and tests"),
    "check_long": Command(_check_long, "the longer checks"),
    "readme": Command(_readme, "run the commands of the README that take minutes"),
    "benchmarks": Command(
        _benchmarks, "a group of measurements: doit benchmarks name=NAME", ("name", "networks", "part")
    ),
}
