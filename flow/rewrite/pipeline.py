"""The lines of a pipeline against the rules that there are: names, options, order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.rewrite.rule import Rule
from flow.spec.pipeline import Entry

RuleKind = TypeVar("RuleKind", bound=Rule)


@dataclass(frozen=True, slots=True)
class Step(Generic[RuleKind]):
    """A rule at its place with its options."""

    rule: RuleKind
    options: Mapping[str, Any]
    why: str = ""


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
