"""The example that a rule's docstring shows: graphs before and after. Tests run them; `doit rules` prints them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from flow.ir import Graph
from flow.rewrite.text import parse_graph


@dataclass(frozen=True, slots=True)
class Example:
    """A graph that a rule changes, and what it makes of it."""

    before: Graph
    after: Graph


def example(doc: str) -> Example | None:
    """The graphs behind `before:` and `after:` in a docstring; None if there are none."""
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in textwrap.dedent(doc.partition("\n")[2]).splitlines():
        word, colon, rest = line.strip().partition(":")
        if colon and word in ("before", "after"):
            current = sections.setdefault(word, [rest])
        elif current is not None and (line.startswith(" ") or not line.strip()):
            current.append(line)
        else:
            current = None
    if set(sections) != {"before", "after"}:
        return None
    return Example(*(parse_graph("\n".join(sections[part])) for part in ("before", "after")))
