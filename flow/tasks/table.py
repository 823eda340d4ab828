"""The command line as doit tasks: which specs are meant, and the stages that each command runs."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem, quoted, render_all, suggest
from flow.spec import Build, parse_words, resolve, resolved_json, spec_paths
from flow.tasks.commands import COMMANDS, command_task
from flow.tasks.explore import explore_stage
from flow.tasks.generate import generate_stage
from flow.tasks.network import decompose_stage, import_stage, rewrite_stage
from flow.tasks.project import Project
from flow.tasks.realise import realise_stage
from flow.tasks.report import report_stage
from flow.tasks.reporter import StageReporter
from flow.tasks.simulate import simulate_stage
from flow.tasks.stage import Stage, write_atomically
from flow.tasks.synthesise import synthesise_stage

Maker = Callable[[Project, Build], Stage]

STAGES: Mapping[str, Maker] = {
    "import": import_stage,
    "rewrite": rewrite_stage,
    "decompose": decompose_stage,
    "explore": explore_stage,
    "realise": realise_stage,
    "generate": generate_stage,
    "simulate": simulate_stage,
    "report": report_stage,
    "synthesise": synthesise_stage,
}
"""In the order of the data; every stage's doc is a line of `doit list`."""

WORDS = ("spec", "build_dir")
SPEC_COMMANDS = ("build", "estimate", "show")
DOIT_COMMANDS = ("run", "auto", "strace")
TOLERANT = frozenset({"list", "help", "clean", "info", "forget", "ignore", "dumpdb", "tabcompletion", "reset-dep"})
"""doit's own commands: a broken spec must not keep anybody from listing or cleaning."""


ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Sums of floats depend on how many threads share them; one gives the same bytes on every machine."""


def load(root: Path, argv: Sequence[str]) -> dict[str, Any]:
    """Everything that dodo.py defines; ends the program with status 2 after printing what is wrong."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        return _table(root, tuple(argv[1:]))
    except BuildError as error:
        print(render_all(error.problems), file=sys.stderr)
        raise SystemExit(2) from None


def _table(root: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    asked = _commands(arguments)
    tolerant = asked[0] in TOLERANT
    values = _words(arguments, asked, tolerant)
    build_dir = Path(values.get("build_dir", root / "build")).absolute()
    project = Project(root, build_dir)
    needs_specs = tolerant or any(name in (*STAGES, *SPEC_COMMANDS) for name in asked)
    builds = tuple(_builds(project, values, tolerant)) if needs_specs else ()
    build_dir.mkdir(parents=True, exist_ok=True)
    if not tolerant:
        _announce(project, builds)
    tasks: dict[str, Any] = {
        f"task_{name}": _stage_task(name, _stages(name, project, builds), project) for name in STAGES
    }
    tasks["task_build"] = _group("build", "every stage up to the report", "report", builds)
    tasks["task_estimate"] = _estimate(project, builds)
    for name in COMMANDS:
        tasks[f"task_{name}"] = command_task(name, project, builds, values)
    return {"DOIT_CONFIG": _config(project), **tasks}


def _commands(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The commands that are asked for, `explore:name` as `explore`; CLI010 for one that nobody knows."""
    known = (*STAGES, *COMMANDS, *SPEC_COMMANDS, *TOLERANT, *DOIT_COMMANDS)
    first = arguments[0] if arguments else "build"
    if first[:1] != "-" and "=" not in first and first.partition(":")[0] not in known:
        hint = suggest(first, known) or "`doit list` shows what there is"
        raise BuildError(Problem("CLI010", f"there is no command {quoted(first)}", hint))
    asked = [a.partition(":")[0] for a in arguments if "=" not in a]
    return tuple(name for name in asked if name in known and name != "run") or ("build",)


def _words(arguments: tuple[str, ...], asked: tuple[str, ...], tolerant: bool) -> dict[str, str]:
    own = [word for name in asked if name in COMMANDS for word in COMMANDS[name].words]
    try:
        return parse_words([a for a in arguments if "=" in a and not a.startswith("-")], (*WORDS, *own))
    except BuildError:
        if not tolerant:
            raise
        return {}


def _config(project: Project) -> dict[str, Any]:
    return {
        "default_tasks": ["build"],
        "backend": "sqlite3",
        "dep_file": str(project.build_dir / ".doit.db"),
        "reporter": StageReporter,
        "verbosity": 2,
        "cleandep": True,
        "action_string_formatting": "new",
    }


def _builds(project: Project, values: Mapping[str, str], tolerant: bool) -> Iterator[Build]:
    try:
        paths = spec_paths(values.get("spec") or ",".join(default_specs(project.root)), project.root)
    except BuildError:
        if not tolerant:
            raise
        return
    problems: list[Problem] = []
    for path in paths:
        try:
            yield resolve(path, project.root)
        except BuildError as error:
            problems += error.problems
    if problems and not tolerant:
        raise BuildError(tuple(problems))


def default_specs(root: Path) -> tuple[str, ...]:
    """Specs that are built when none is named: `[tool.convmake]` in pyproject.toml."""
    with (root / "pyproject.toml").open("rb") as file:
        return tuple(tomllib.load(file)["tool"]["convmake"]["default_specs"])


def _announce(project: Project, builds: Sequence[Build]) -> None:
    """Write resolved.json of every build whose meaning changed, and say what is worth a warning."""
    for build in builds:
        if build.warnings:
            print(render_all(build.warnings), file=sys.stderr)
        folder, text = project.spec_dir(build), resolved_json(build)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "resolved.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)


def _stages(name: str, project: Project, builds: Sequence[Build]) -> tuple[Stage, ...]:
    """One stage of every build; builds that share a network share its stages."""
    made = [STAGES[name](project, build) for build in builds]
    return tuple({stage.name: stage for stage in made}.values())


def _stage_task(name: str, stages: Sequence[Stage], project: Project) -> Callable[[], Iterator[dict[str, Any]]]:
    def task() -> Iterator[dict[str, Any]]:
        yield {"name": None, "doc": DOCS[name]}
        yield from (stage.as_doit(project.build_dir) for stage in stages)

    return task


DOCS = {
    "import": "ONNX or declared layers to a graph",
    "rewrite": "clean the graph up, rule by rule",
    "decompose": "measure what later stages choose from",
    "explore": "search for the best design that fits the device",
    "realise": "integer weights, and the accuracy they give",
    "generate": "HLS C++, Tcl, packed weights, schedule",
    "simulate": "compile and run what was generated, compare it bit by bit",
    "report": "numbers, tables and a page",
    "synthesise": "run the vendor's tools, where they are installed",
}


def _group(name: str, doc: str, last: str, builds: Sequence[Build]) -> Callable[[], dict[str, Any]]:
    def task() -> dict[str, Any]:
        return {"actions": None, "task_dep": [f"{last}:{build.name}" for build in builds], "doc": doc}

    return task


def _estimate(project: Project, builds: Sequence[Build]) -> Callable[[], dict[str, Any]]:
    """`estimate` stops after exploration and prints what it found, each time it is asked."""

    def show() -> None:
        from flow.report import read_inputs, terminal_table

        for build in builds:
            print(terminal_table(read_inputs(project.spec_dir(build) / "explore")), end="")

    def task() -> dict[str, Any]:
        names = [f"explore:{build.name}" for build in builds]
        return {
            "actions": [(show,)],
            "task_dep": names,
            "doc": "what the model says of a design, in seconds",
            "verbosity": 2,
        }

    return task
