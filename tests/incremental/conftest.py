"""A small project of its own, built once; every case edits a copy of it and looks at what runs again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("import", "rewrite", "decompose", "explore", "realise", "generate", "simulate", "report")
COPIED = ("dodo.py", "pyproject.toml", "flow", "rules", "ip_templates", "specs")
SPEC = """network: tiny
device: zedboard
clock_mhz: 100   # the guide value
batch: 4
explore: {generations: 2, population: 8}
"""
NETWORK = """input: [2, 6, 6]
weights: {seed: 3}
layers:
  - conv: {filters: 4, kernel: 3, pad: 1, activation: relu}
  - maxpool: {kernel: 2}
  - fc: {units: 5}
"""


@dataclass(frozen=True)
class Outcome:
    """What a call of doit did."""

    status: int
    output: str

    @property
    def ran(self) -> list[str]:
        """Stages that ran, in the order of the data (stages that do not wait for each other may run in any)."""
        order = (*STAGES, "synthesise")
        words = [line.split() for line in self.output.splitlines()]
        return sorted((w[0] for w in words if len(w) > 1 and w[0] in order and w[1].endswith(":")), key=order.index)


def doit(project: Path, *words: str, **environment: str) -> Outcome:
    """Run doit as a user would, in a project's folder."""
    result = subprocess.run(
        (sys.executable, "-m", "doit", *words),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=300,
    )
    return Outcome(result.returncode, result.stdout + result.stderr)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one spec, built."""
    project = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
        else:
            shutil.copy2(source, project / name)
    (project / "specs/tiny_zed.yaml").write_text(SPEC)
    (project / "specs/networks/tiny.yaml").write_text(NETWORK)
    outcome = doit(project, "build", "spec=tiny_zed")
    assert outcome.status == 0, outcome.output
    assert outcome.ran == list(STAGES)
    return project


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy of the built project, time stamps included."""
    copy = tmp_path / "project"
    shutil.copytree(built, copy)
    return copy


@pytest.fixture
def run() -> Callable[..., Outcome]:
    return doit
