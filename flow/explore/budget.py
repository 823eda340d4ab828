"""How much a search may do: generations, evaluations, seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

SEARCHED = 0.8
"""Part of a budget of evaluations or seconds that seeds and generations may use; the rest polishes the best designs."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a spec grants.

    Attributes:
        seed: of everything that is random.
        generations, population: of the genetic algorithm.
        evaluations: designs after which the search ends; the step that it is in is finished.
        seconds: time after which it ends; the result then depends on the machine.
    """

    seed: int = 0
    generations: int = 60
    population: int = 96
    evaluations: int | None = None
    seconds: float | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the same input gives the same bytes."""
        return self.seconds is None


@dataclass(slots=True)
class Budget:
    """What is left of it. `before_s`: seconds that a run took that was interrupted and now goes on."""

    effort: Effort
    before_s: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        return self.before_s + time.monotonic() - self.started

    def spent(self, evaluations: int, part: float = 1.0) -> bool:
        """Whether `part` of the evaluations or of the seconds is used up."""
        effort = self.effort
        if effort.evaluations is not None and evaluations >= part * effort.evaluations:
            return True
        return effort.seconds is not None and self.elapsed_s() >= part * effort.seconds
