"""One stage of one build as a doit task: inputs, outputs, the values and code it reads, and an atomic action."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed
from doit.tools import config_changed

from flow.diagnostics import BuildError, Problem, quoted, render_all
from flow.tasks.files import clean, write_atomically
from flow.tasks.stamp import file_digest, intact, lock_file, locked, stamped_state, write_stamp


@dataclass(frozen=True, slots=True)
class Stage:
    """A task before it is handed to doit.

    Attributes:
        stage: the command it belongs to (`explore`); name: what it works on (`vgg16_zc706`).
        run: does the work and returns the line that is printed.
        inputs, outputs: files; values: all else that the outcome depends on (JSON).
        timings: file that the elapsed time is written to; nothing depends on it.
        folders: folders that this stage alone writes to; cleaning removes them whole.
        made: files that nobody else may change; by default the outputs and all that is in the folders.
        left: files that a killed run leaves behind for the next one.
    """

    stage: str
    name: str
    run: Callable[[], str]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    values: Any
    doc: str
    timings: Path | None = None
    after: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    made: Callable[[], Iterable[Path]] | None = None
    left: tuple[Path, ...] = ()

    def files(self) -> tuple[Path, ...]:
        """What a run has made."""
        if self.made is not None:
            return (*self.outputs, *self.made())
        return (*self.outputs, *(p for folder in self.folders for p in folder.rglob("*") if p.is_file()))

    @property
    def task(self) -> str:
        return f"{self.stage}:{self.name}"

    def as_doit(self, build_dir: Path, always: bool = False) -> dict[str, Any]:
        """The doit task; its stamp lies in the build folder. `always` runs it whatever the stamp says."""
        stamp = build_dir / ".stamps" / self.stage / self.name
        return {
            "name": self.name,
            "actions": [(_guarded, [self, stamp, build_dir, always])],
            "file_dep": [_local(p) for p in self.inputs],
            "targets": [_local(p) for p in self.outputs],
            "uptodate": [config_changed(json.dumps(self.values, sort_keys=True)), (intact, [stamp, build_dir])],
            "task_dep": list(self.after),
            "clean": [(clean, [(*self.outputs, *self.left, stamp, lock_file(stamp)), self.folders, build_dir])],
            "doc": self.doc,
            "verbosity": 2,
        }


def _local(path: Path) -> str:
    """Relative below the project, so that a build folder may move with it (a CI cache does)."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _guarded(stage: Stage, stamp: Path, build_dir: Path, always: bool) -> dict[str, str | None] | TaskFailed:
    """Run a stage, or wait while another process runs it; problems become the task's failure, without a traceback."""
    try:
        with locked(stamp):
            return {"summary": _run(stage, stamp, build_dir, always)}
    except BuildError as problem:
        return TaskFailed(render_all(problem.problems))
    except SystemExit as end:  # doit would take it for the end of a good build
        return TaskFailed(render_all((Problem("RULE014", f"a rule ends the program (status {end.code})"),)))
    except OSError as error:
        return TaskFailed(render_all((_disk_problem(error),)))


def _run(stage: Stage, stamp: Path, build_dir: Path, always: bool) -> str | None:
    """The line to print of a stage that ran; None if its artefacts stand already."""
    start = time.perf_counter()
    state = state_of(stage.values, stage.inputs)
    there = all(path.exists() for path in stage.outputs) and intact(stamp, build_dir)
    if there and not always and stamped_state(stamp) == state:
        return None
    stamp.unlink(missing_ok=True)
    import_module("flow.operators")  # registers them all: any graph that a stage reads may name any of them
    summary = stage.run()
    write_stamp(stamp, state, stage.files(), build_dir)
    if stage.timings is not None:
        record(stage.timings, stage.stage, round(time.perf_counter() - start, 3))
    return summary


def _disk_problem(error: OSError) -> Problem:
    """A file that cannot be read or written is the machine's fault, not the program's."""
    place = f" {quoted(_local(Path(str(error.filename))), 200)}" if error.filename else ""
    hint = "is the disk full, or the build folder not yours?"
    return Problem("CLI013", f"{error.strerror or error}:{place}" if place else str(error), hint)


def state_of(values: Any, inputs: Iterable[Path]) -> str:
    """Digest of all that a stage depends on."""
    whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for path in inputs:
        whole.update(file_digest(path).encode())
    return whole.hexdigest()


def record(path: Path, name: str, value: Any) -> None:
    """Note in a build's timings.json what a run took."""
    try:
        known = dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        known = {}
    known[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(known, indent=2, sort_keys=True) + "\n")


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 partition`, `2 partitions`; `things` where an s does not do."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def interactive() -> bool:
    """Whether a person watches: progress bars are drawn only then."""
    return sys.stderr.isatty()
