"""Pipelines: which rules run, in which order, with which options, and why. YAML says; this reads and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.rewrite.rule import Rule
from flow.spec.document import read_document
from flow.spec.schema import check
from flow.spec.value import Value

SECTIONS = ("rewrite", "decompose", "transform", "check")
RuleKind = TypeVar("RuleKind", bound=Rule)


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


@dataclass(frozen=True, slots=True)
class Step(Generic[RuleKind]):
    """A rule at its place with its options."""

    rule: RuleKind
    options: Mapping[str, Any]
    why: str = ""


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


def check_entries(entries: Sequence[Entry], rules: Mapping[str, RuleKind]) -> tuple[Step[RuleKind], ...]:
    """The entries with their rules; BuildError with every unknown rule, wrong option and impossible order."""
    problems: list[Problem] = []
    seen: dict[str, Entry] = {}
    for entry in entries:
        rule = rules.get(entry.rule)
        if rule is None:
            hint = suggest(entry.rule, rules)
            problems.append(entry.problem("RULE001", f"there is no rule {quoted(entry.rule)}", hint))
        else:
            problems += _options(entry, rule)
        if entry.rule in seen:
            first = seen[entry.rule].problem("RULE015", "it is listed here first")
            problems.append(entry.problem("RULE015", f"{quoted(entry.rule)} is listed twice", related=(first,)))
        seen.setdefault(entry.rule, entry)
    problems += _order(entries, rules, seen)
    if problems:
        raise BuildError(tuple(problems))
    return tuple(Step(rules[entry.rule], entry.options, entry.why) for entry in entries)


def _options(entry: Entry, rule: Rule) -> list[Problem]:
    problems = []
    for key, value in entry.options.items():
        kind = rule.options.get(key)
        if kind is None:
            hint = suggest(key, rule.options) or ("" if rule.options else "it has no options")
            problems.append(entry.problem("RULE005", f"{rule.name} has no option {quoted(key)}", hint))
        elif isinstance(value, bool) != (kind is bool) or not isinstance(
            value, (int, float) if kind is float else kind
        ):
            message = f"option {quoted(key)} of {rule.name} is {quoted(value)}, not of type {kind.__name__}"
            problems.append(entry.problem("RULE006", message))
    return problems


def _order(entries: Sequence[Entry], rules: Mapping[str, RuleKind], seen: Mapping[str, Entry]) -> list[Problem]:
    position = {entry.rule: i for i, entry in reversed(list(enumerate(entries)))}
    wanted = [(name, rule.name) for rule in rules.values() for name in rule.after]
    wanted += [(rule.name, name) for rule in rules.values() for name in rule.before]
    problems = []
    for first, second in dict.fromkeys(wanted):
        if first in position and second in position and position[first] > position[second]:
            other = seen[first].problem("RULE007", f"{quoted(first)} stands here")
            message = f"{quoted(second)} must come after {quoted(first)}"
            problems.append(seen[second].problem("RULE007", message, "change their order", (other,)))
    return problems
