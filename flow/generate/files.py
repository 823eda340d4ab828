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
    """Remove what an earlier, larger design left: files with these suffixes, `data` of projects that are gone.

    What vendor tools made stays: only files that the flow writes itself are its own to remove.
    """
    projects = {path.parent for path in kept}
    ours = [p for pattern in ("*", "*/*") for p in folder.glob(pattern) if p.suffix in suffixes and p not in kept]
    data = [p for p in folder.glob("*/data/*") if p.parent.parent not in projects]
    for path in (*ours, *data):
        if path.is_file():
            path.unlink()
    for pattern in ("*/data", "*"):
        for path in folder.glob(pattern):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
