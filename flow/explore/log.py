"""What a search spends: CPU seconds of evaluation, selection and variation, and how many different designs it saw."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.population import Population

Words = npt.NDArray[np.uint64]


@dataclass(slots=True)
class SearchLog:
    """Of one process; nothing that the search decides depends on it."""

    seconds: dict[str, float] = field(default_factory=dict)
    evaluations: int = 0
    calls: int = 0
    _seen: list[Words] = field(default_factory=list)
    _factors: Words | None = None

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the CPU seconds of the block to `what`."""
        start = time.process_time()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.process_time() - start

    def saw(self, population: Population) -> None:
        """Remember the designs of a population by a 64-bit hash."""
        self.evaluations += len(population.rows)
        self.calls += 1
        length = population.rows.shape[1]
        if self._factors is None:
            random = np.random.default_rng(0)
            self._factors = random.integers(0, 2**64, 2 * length, np.uint64) | np.uint64(1)
        rows = (population.rows.astype(np.uint64) + np.uint64(1)) * self._factors[:length]
        words = (rows + population.cuts * self._factors[length:]).sum(axis=1, dtype=np.uint64)
        self._seen.append(np.unique(words ^ (words >> np.uint64(29))))

    def as_json(self) -> dict[str, Any]:
        """For timings.json: counts of this process, CPU seconds, different designs a CPU second of evaluation."""
        distinct = len(np.unique(np.concatenate(self._seen))) if self._seen else 0
        evaluation = self.seconds.get("evaluation", 0.0)
        return {
            "evaluations": self.evaluations,
            "calls": self.calls,
            "distinct_designs": distinct,
            "cpu_s": {name: round(seconds, 4) for name, seconds in sorted(self.seconds.items())},
            "distinct_per_cpu_s": round(distinct / evaluation) if evaluation else None,
        }
