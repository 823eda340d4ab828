"""Files that appear whole or not at all, and that are not touched where their bytes stay the same."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_UNFINISHED = ".unfinished"


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece; it takes the place of `path` at the end unless it is the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + _UNFINISHED)
    try:
        with beside.open("wb") as file:
            yield file
        if path.is_file() and filecmp.cmp(beside, path, shallow=False):
            beside.unlink()
        else:
            os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def put(path: Path, content: str | bytes) -> None:
    """Make `path` hold `content`."""
    wanted = content.encode() if isinstance(content, str) else content
    if not (path.is_file() and path.read_bytes() == wanted):
        with replaced(path) as file:
            file.write(wanted)


def prune(folder: Path, kept: set[Path], suffixes: tuple[str, ...]) -> None:
    """Remove files with these suffixes below a folder that an earlier, larger design left; then empty folders."""
    for path in sorted(folder.glob("*/*"), reverse=True) if folder.is_dir() else ():
        if path.suffix in suffixes and path.is_file() and path not in kept:
            path.unlink()
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.is_file() and path.suffix in suffixes and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
