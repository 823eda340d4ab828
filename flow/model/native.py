"""Kernels in C++ that g++ compiles once into the user's cache: hot loops that numpy would walk through many times over.

A library is named by the digest of its source, the headers beside it, and flags. g++ is there anyway for C simulation;
where it is not, whoever asks for a kernel does the same work in Python, with the same result.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

# Contracted products would round differently from numpy's.
FLAGS = ("-std=c++14", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-w")
_COMPILE_S = 120.0


def cache_folder() -> Path:
    """Where compiled kernels lie: `$XDG_CACHE_HOME/convmake` or `~/.cache/convmake`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "convmake"


@cache
def library(source: Path) -> ctypes.CDLL | None:
    """The compiled source, None where there is no compiler or its result cannot be loaded."""
    try:
        return ctypes.CDLL(str(_compiled(source, cache_folder())))
    except OSError:
        pass
    try:
        with tempfile.TemporaryDirectory(prefix="convmake-") as folder:
            return ctypes.CDLL(str(_compiled(source, Path(folder))))
    except OSError:
        return None


def _compiled(source: Path, folder: Path) -> Path:
    """The shared library of a source, compiled if it is not there. OSError without a compiler or a place."""
    headers = sorted(source.parent.glob("*.h"))
    text = b"\0".join(path.read_bytes() for path in (source, *headers))
    digest = hashlib.sha256(text + " ".join(FLAGS).encode()).hexdigest()[:16]
    path = folder / f"{source.parent.name}-{os.uname().machine}-{digest}.so"
    if path.is_file():
        return path
    compiler = shutil.which("g++")
    if compiler is None:
        raise FileNotFoundError("g++")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compile-", dir=folder) as scratch:
        made = Path(scratch) / path.name
        command = (compiler, *FLAGS, str(source), "-o", str(made))
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_COMPILE_S)
        except subprocess.SubprocessError as error:
            raise OSError(str(error)) from error
        made.replace(path)
    return path
