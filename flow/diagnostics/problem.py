"""What is wrong with something a user wrote, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, in the user's own words and places.

    Attributes:
        code: stable code such as `SPEC002`; its letters name the part of the flow that found it.
        message: one line.
        hint: what to do about it, or empty.
        file: path as the user knows it, or the origin of a node (`lenet5.onnx#Conv_3`), or empty.
        line, column: 1-based; 0 where the file has no lines.
        related: further places that are involved, their messages saying how.
        severity: `error` or `warning`.
    """

    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    related: tuple[Problem, ...] = ()
    severity: str = "error"


class BuildError(Exception):
    """The one exception for everything that a user can cause; carries every problem that was found."""

    def __init__(self, problems: tuple[Problem, ...] | Problem) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in self.problems))
