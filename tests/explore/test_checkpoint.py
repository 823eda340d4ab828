"""A search that was killed goes on where it was, and ends with the bytes of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flow.explore.checkpoint import Checkpoint
from flow.ir import canonical_json
from tests.explore import devices, networks
from tests.explore.runs import ROOT, explored

GRAPH, DEVICE = networks.chain((32, 32), (32, 12, 12)), devices.device(64, 40, 40_000, reconfiguration_s=1e-4)
QUICK = {"generations": 6, "population": 16}


def searched(path: Path | None = None, key: str = "k", kill_at: int = 0, **settings: object) -> tuple[str, list[int]]:
    """What an exploration writes, and the generations that it went through; `kill_at` ends the process there."""
    seen: list[int] = []

    def progress(generation: int, generations: int, fps: float) -> None:
        seen.append(generation)
        if generation == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint = Checkpoint(path, key, 0.0) if path else None
    found = explored(GRAPH, DEVICE, 64, progress=progress, checkpoint=checkpoint, **(QUICK | settings))
    return canonical_json(found.documents()), seen


@pytest.fixture(scope="module")
def whole() -> str:
    return searched()[0]


def test_a_killed_search_goes_on_with_the_same_bytes(tmp_path: Path, whole: str) -> None:
    saved = tmp_path / "state.npz"
    code = f"from tests.explore.test_checkpoint import *; searched(Path({str(saved)!r}), kill_at=4)"
    environment = os.environ | {"PYTHONHASHSEED": "3", "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL and saved.exists()
    text, seen = searched(saved)
    assert seen == [4, 5, 6], "the generation that was under way and those behind it"
    assert text == whole
    assert not saved.exists(), "a search that ended leaves no state"


class Killed(Exception):
    """Ends a search in the middle."""


@pytest.mark.parametrize(
    ("phase", "count"),
    [
        ("seeds", 2),
        ("polish", 2),
        pytest.param("generations", 1, marks=pytest.mark.slow),
        pytest.param("polish", 1, marks=pytest.mark.slow),
    ],
)
def test_every_phase_can_be_resumed(
    phase: str, count: int, tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, seen = tmp_path / "state.npz", []
    save = Checkpoint.save

    def saving(self: Checkpoint, state: object) -> None:
        save(self, state)  # type: ignore[arg-type]
        seen.append(self.load().phase)  # type: ignore[union-attr]
        if seen.count(phase) == count:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", saving)
    with pytest.raises(Killed):
        searched(saved)
    monkeypatch.undo()
    assert Checkpoint(saved, "k").load().phase == phase  # type: ignore[union-attr]
    assert searched(saved)[0] == whole


def test_a_checkpoint_of_something_else_is_ignored(tmp_path: Path, whole: str) -> None:
    saved = tmp_path / "state.npz"
    for content in (b"", b"no archive", b"PK\x03\x04 broken"):
        saved.write_bytes(content)
        assert Checkpoint(saved, "k").load() is None
    with pytest.raises(Killed):
        explored(GRAPH, DEVICE, 64, progress=_kill, checkpoint=Checkpoint(saved, "other", 0.0), **QUICK)
    assert Checkpoint(saved, "other").load() is not None and Checkpoint(saved, "k").load() is None
    text, seen = searched(saved)
    assert text == whole and seen[0] == 1


def _kill(generation: int, generations: int, fps: float) -> None:
    if generation == 3:
        raise Killed


def test_a_budget_of_evaluations_ends_the_search_and_can_be_repeated(tmp_path: Path) -> None:
    few, _ = searched(evaluations=2500, generations=1000)
    found = explored(GRAPH, DEVICE, 64, evaluations=2500, generations=1000, population=16)
    assert canonical_json(found.documents()) == few and found.repeatable
    # A step is finished: the polish of one design is the longest.
    assert 0.8 * 2500 <= found.evaluations < 2500 + 10_000 and found.front["generations"] < 1000


def test_a_budget_of_seconds_ends_the_search_with_the_best_so_far() -> None:
    found = explored(GRAPH, DEVICE, 64, seconds=1e-3, generations=1000, population=16)
    assert found.front["generations"] == 0 and found.performance.throughput_fps > 0
    assert not found.performance.excess()
    documents = found.documents()
    marked = [documents[name]["repeatable"] for name in ("design.json", "performance.json", "pareto.json")]
    assert marked == [False] * 3
