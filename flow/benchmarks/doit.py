"""The product as its users run it: doit in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """A finished call; `seconds` is wall time, start-up included."""

    status: int
    output: str
    seconds: float


def doit(root: Path, build_dir: Path, *words: str) -> Run:
    """`doit words…` in the project, with a build folder of its own."""
    start = time.perf_counter()
    command = (sys.executable, "-m", "doit", *words, f"build_dir={build_dir}")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout + done.stderr, time.perf_counter() - start)


def report(build_dir: Path, spec: str, name: str = "performance", folder: str = "report") -> dict[str, Any]:
    """A JSON file of a build."""
    found: dict[str, Any] = json.loads((build_dir / spec / folder / f"{name}.json").read_text(encoding="utf-8"))
    return found
