"""Files of the build folder: written whole or not at all, removed without reaching out of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    os.replace(name, path)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder that takes the place of `folder` when the block ends well, and vanishes when it does not.

    Scratch that a killed process left is swept first: the stage's lock says that nobody else is at work here.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left)
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


def clean(files: tuple[Path, ...], folders: tuple[Path, ...], build_dir: Path) -> None:
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
