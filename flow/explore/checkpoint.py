"""The state of a search as a file, so that one that was killed goes on where it was and finds the same.

A checkpoint belongs to one key: a digest of all that the search depends on. One with another key, or a damaged one, is
as good as none. It is replaced whole, so a kill while it is written leaves the one before.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.population import Population

EVERY_S = 3.0
FORMAT = 1
Best = Mapping[tuple[int, int], tuple[float, int, npt.NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class State:
    """Where a search stands.

    Attributes:
        phase: seeds | generations | polish.
        step: covers that are seeded, or generations that are through.
        populations: what the phases so far have left, by name.
        best: of the archive.
        random: state of the random numbers' generator.
        seconds: that the search took so far.
    """

    phase: str
    step: int
    populations: Mapping[str, Population]
    best: Best
    random: Mapping[str, Any]
    evaluations: int
    seconds: float


@dataclass(slots=True)
class Checkpoint:
    """A file that holds the state of a search with this key, written every few seconds."""

    path: Path
    key: str
    every_s: float = EVERY_S
    last: float = 0.0

    def save(self, state: Callable[[], State]) -> None:
        """Write the state, unless the last one was written just now; a full disk ends no search."""
        now = time.monotonic()
        if now - self.last < self.every_s:
            return
        try:
            _replace(self.path, _packed(state(), self.key))
        except OSError:
            return
        self.last = time.monotonic()

    def load(self) -> State | None:
        """The state that a search with this key left, None if there is none."""
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                return _unpacked(arrays, self.key)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _packed(state: State, key: str) -> bytes:
    about = {
        "format": FORMAT, "key": key, "phase": state.phase, "step": state.step, "random": state.random,
        "evaluations": state.evaluations, "seconds": state.seconds, "populations": list(state.populations),
    }  # fmt: skip
    ranges = sorted(state.best)
    known = [state.best[r] for r in ranges]
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(about)),
        "ranges": np.array(ranges, np.int64).reshape(-1, 2),
        "range_seconds": np.array([seconds for seconds, _, _ in known], np.float64),
        "range_passes": np.array([passes for _, passes, _ in known], np.int64),
        "range_rows": np.concatenate([np.zeros(0, np.int64), *(rows for _, _, rows in known)]),
    }
    for name, population in state.populations.items():
        arrays |= {f"{name}_cuts": population.cuts, f"{name}_rows": population.rows}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _unpacked(arrays: Any, key: str) -> State | None:
    about = json.loads(str(arrays["about"]))
    if about["format"] != FORMAT or about["key"] != key:
        return None
    ranges = [(int(first), int(last)) for first, last in arrays["ranges"]]
    pieces = np.split(arrays["range_rows"], np.cumsum([last - first + 1 for first, last in ranges])[:-1])
    figures = zip(arrays["range_seconds"], arrays["range_passes"], pieces, strict=True) if ranges else ()
    return State(
        about["phase"],
        about["step"],
        {n: Population(arrays[f"{n}_cuts"], arrays[f"{n}_rows"]) for n in about["populations"]},
        {r: (float(s), int(p), rows.copy()) for r, (s, p, rows) in zip(ranges, figures, strict=True)},
        about["random"],
        about["evaluations"],
        about["seconds"],
    )


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(scratch, path)
    except OSError:
        Path(scratch).unlink(missing_ok=True)
        raise
