"""One stage of one build as a doit task: inputs, outputs, the values and code it reads, and an atomic action."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed
from doit.tools import config_changed

from flow.diagnostics import BuildError, Problem, quoted, render_all


@dataclass(frozen=True, slots=True)
class Stage:
    """A task before it is handed to doit.

    Attributes:
        stage: the command it belongs to (`explore`); name: what it works on (`vgg16_zc706`).
        run: does the work and returns the line that is printed.
        inputs, outputs: files; values: all else that the outcome depends on (JSON).
        timings: file that the elapsed time is written to; nothing depends on it.
        folders: folders that this stage alone writes to; cleaning removes them whole.
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

    @property
    def task(self) -> str:
        return f"{self.stage}:{self.name}"

    def as_doit(self, build_dir: Path, always: bool = False) -> dict[str, Any]:
        """The doit task; its stamp lies in the build folder. `always` runs it whatever the stamp says."""
        stamp = build_dir / ".stamps" / self.stage / self.name
        return {
            "name": self.name,
            "actions": [(_guarded, [self, stamp, always])],
            "file_dep": [_local(p) for p in self.inputs],
            "targets": [_local(p) for p in self.outputs],
            "uptodate": [config_changed(json.dumps(self.values, sort_keys=True))],
            "task_dep": list(self.after),
            "clean": [(_clean, [(*self.outputs, stamp), self.folders, build_dir])],
            "doc": self.doc,
            "verbosity": 2,
        }


def _local(path: Path) -> str:
    """Relative below the project, so that a build folder may move with it (a CI cache does)."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _guarded(stage: Stage, stamp: Path, always: bool = False) -> dict[str, str | None] | TaskFailed:
    """Run a stage; problems that a user can cause become the task's failure, without a traceback.

    doit writes its states when it ends. A stamp is written after every stage, so that a build that was killed, or whose
    artefacts came from a cache without doit's states, does not repeat what is there.
    """
    start = time.perf_counter()
    state = _state(stage)
    if not always and _kept(stage, stamp, state):
        return {"summary": None}
    try:
        stamp.unlink(missing_ok=True)
        import_module("flow.operators")  # registers them all: any graph that a stage reads may name any of them
        summary = stage.run()
        stamp.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(stamp, state)
        if stage.timings is not None:
            _record(stage.timings, stage.stage, time.perf_counter() - start)
    except BuildError as problem:
        return TaskFailed(render_all(problem.problems))
    except SystemExit as end:  # doit would take it for the end of a good build
        return TaskFailed(render_all((Problem("RULE014", f"a rule ends the program (status {end.code})"),)))
    except OSError as error:
        return TaskFailed(render_all((_disk_problem(error),)))
    return {"summary": summary}


def _disk_problem(error: OSError) -> Problem:
    """A file that cannot be read or written is the machine's fault, not the program's."""
    place = f" {quoted(_local(Path(str(error.filename))), 200)}" if error.filename else ""
    hint = "is the disk full, or the build folder not yours?"
    return Problem("CLI013", f"{error.strerror or error}:{place}" if place else str(error), hint)


def _state(stage: Stage) -> str:
    """Digest of all that a stage depends on."""
    whole = hashlib.sha256(json.dumps(stage.values, sort_keys=True).encode())
    for path in stage.inputs:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest() + "\n"


def _kept(stage: Stage, stamp: Path, state: str) -> bool:
    there = all(path.exists() for path in stage.outputs)
    return there and stamp.is_file() and stamp.read_text(encoding="utf-8") == state


def _record(path: Path, stage: str, seconds: float) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    known[stage] = round(seconds, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(known, indent=2, sort_keys=True) + "\n")


def _clean(files: tuple[Path, ...], folders: tuple[Path, ...], build_dir: Path) -> None:
    """Remove what a stage made, and the folders that are empty then."""
    for path in files:
        if _inside(path.parent, build_dir):
            path.unlink(missing_ok=True)
    clean_folders(folders, build_dir)
    for path in (*files, *folders):
        _prune(path.parent, build_dir)


def _prune(folder: Path, build_dir: Path) -> None:
    """Remove a folder and those around it as far as they are empty, up to the build folder."""
    if folder != build_dir and _inside(folder, build_dir) and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        _prune(folder.parent, build_dir)


def clean_folders(folders: tuple[Path, ...], build_dir: Path) -> None:
    """Remove folders with all that is in them; a link out of the build folder is not followed."""
    for folder in folders:
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir() and _inside(folder, build_dir):
            shutil.rmtree(folder)


def _inside(path: Path, build_dir: Path) -> bool:
    return path.resolve().is_relative_to(build_dir.resolve())


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    os.replace(name, path)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder that takes the place of `folder` when the block ends well, and vanishes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        scratch.chmod(0o755)
        yield scratch
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
        if folder.exists():
            os.rename(folder, old / "replaced")
        os.rename(scratch, folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def counted(number: int, thing: str) -> str:
    """`1 partition`, `2 partitions`."""
    return f"{number} {thing}{'s' * (number != 1)}"


def interactive() -> bool:
    """Whether a person watches: progress bars are drawn only then."""
    return sys.stderr.isatty()
