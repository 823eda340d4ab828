"""Stamps: what a stage was run on, and what it left, so that nothing finished is repeated and nothing damaged is used.

doit writes its states when it ends. A stamp is written after every stage, so that a build that was killed, or whose
artefacts came from a cache without doit's states, does not repeat what is there. doit looks at the targets of a task
only for whether they exist; a stamp knows size and digest of every file that the stage made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flow.tasks.files import write_atomically


@contextmanager
def locked(stamp: Path) -> Iterator[None]:
    """Keep other processes from running the same stage; the lock ends with its holder, however that ends."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(stamp).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lock_file(stamp: Path) -> Path:
    return stamp.with_name(f".{stamp.name}.lock")


def write_stamp(stamp: Path, state: str, files: Iterable[Path], build_dir: Path) -> None:
    """Note the state that a stage was run on, and the files that it made."""
    made = {path.relative_to(build_dir).as_posix(): _note(path) for path in sorted(set(files))}
    write_atomically(stamp, json.dumps({"state": state, "files": made}, indent=0, sort_keys=True) + "\n")


def stamped_state(stamp: Path) -> str | None:
    """The state that the stage was run on; None if it never ended."""
    state = _read(stamp).get("state")
    return state if isinstance(state, str) else None


def intact(stamp: Path, build_dir: Path) -> bool | None:
    """Whether every file is as the stage left it; None without a stamp. Only files with a new time are read."""
    files = _read(stamp).get("files")
    if not isinstance(files, dict):
        return None
    return all(_same(build_dir / name, note) for name, note in files.items())


def _read(stamp: Path) -> Mapping[str, Any]:
    try:
        known = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _note(path: Path) -> list[int | str]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, file_digest(path)]


def _same(path: Path, note: list[int | str]) -> bool:
    size, time, digest = note
    try:
        status = path.stat()
        return status.st_size == size and (status.st_mtime_ns == time or file_digest(path) == digest)
    except OSError:
        return False


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
