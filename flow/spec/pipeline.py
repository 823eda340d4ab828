"""Pipelines as written: which rules are listed, in which order, with which options, and why.

Read at every call of doit, so nothing of the rules themselves is needed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.spec.document import read_document
from flow.spec.schema import check
from flow.spec.value import Value

SECTIONS = ("rewrite", "decompose", "transform", "check")


@dataclass(frozen=True, slots=True)
class RuleFolder:
    """A folder of rule files, and what it is called in messages."""

    path: Path
    shown: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section, as written."""

    rule: str
    why: str
    options: Mapping[str, Any]
    file: str
    line: int
    column: int

    def problem(self, code: str, message: str, hint: str = "", related: tuple[Problem, ...] = ()) -> Problem:
        return Problem(code, message, hint, self.file, self.line, self.column, related)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The sections of a pipeline file."""

    rewrite: tuple[Entry, ...] = ()
    decompose: tuple[Entry, ...] = ()
    transform: tuple[Entry, ...] = ()
    check: tuple[Entry, ...] = ()


def load_pipeline(path: Path, shown: str) -> Pipeline:
    """The pipeline of a YAML file; BuildError with every problem of its form."""
    root, problems = read_document(path, shown)
    problems = [*problems, *(problem for _, problem in check(root, "pipeline"))]
    if problems:
        raise BuildError(tuple(problems))
    sections = {name: tuple(_entry(item) for item in _items(root, name)) for name in SECTIONS}
    return Pipeline(**sections)


def _items(root: Value, section: str) -> Sequence[Value]:
    value = root.get(section)
    return value.items if value is not None else ()


def _entry(item: Value) -> Entry:
    where = item.place
    if isinstance(item.data, str):
        return Entry(item.data, "", {}, where.file, where.line, where.column)
    plain = item.plain()
    place = item.get("rule")
    where = place.place if place is not None else where
    return Entry(plain["rule"], plain.get("why", ""), plain.get("options", {}), where.file, where.line, where.column)
