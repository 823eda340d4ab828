"""YAML values that know where they stand in the user's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flow.diagnostics import Problem

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column are 1-based."""

    file: str
    line: int
    column: int

    def problem(self, code: str, message: str, hint: str = "", related: Sequence[Problem] = ()) -> Problem:
        return Problem(code, message, hint, self.file, self.line, self.column, tuple(related))


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A scalar, a list of values or a mapping from key to entry.

    Attributes:
        data: the value itself.
        place: where it starts (behind its key).
        bad: a problem was reported about it already, so nothing more is said.
        size: number of values in it, itself included; aliases count at every use.
    """

    data: Scalar | tuple[Value, ...] | Mapping[str, Entry]
    place: Place
    bad: bool = False
    size: int = 1

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Entries of a mapping; empty for anything else."""
        return self.data if isinstance(self.data, Mapping) else {}

    @property
    def items(self) -> tuple[Value, ...]:
        """Items of a list; empty for anything else."""
        return self.data if isinstance(self.data, tuple) else ()

    def get(self, key: str) -> Value | None:
        entry = self.entries.get(key)
        return entry.value if entry else None

    def key_place(self, key: str) -> Place:
        """Where a key stands; the mapping's own place if it has no such key."""
        entry = self.entries.get(key)
        return entry.place if entry else self.place

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.data, Mapping):
            return {key: entry.value.plain() for key, entry in self.data.items()}
        return [item.plain() for item in self.data] if isinstance(self.data, tuple) else self.data

    def tainted(self) -> bool:
        """Whether a problem was reported about it or anything in it."""
        return self.bad or any(child.tainted() for child in self.children())

    def children(self) -> Iterator[Value]:
        yield from (entry.value for entry in self.entries.values())
        yield from self.items


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A mapping's value with the place of its key."""

    value: Value
    place: Place


def walk(root: Value, path: Sequence[str | int]) -> tuple[Value, Place]:
    """The value at a path and the place of its key (of itself in a list, of the root for an empty path)."""
    value, place = root, root.place
    for step in path:
        if isinstance(step, int):
            value = value.items[step]
            place = value.place
        else:
            entry = value.entries[step]
            value, place = entry.value, entry.place
    return value, place


def key_path(path: Sequence[str | int]) -> str:
    """`layers[3].conv.kernel` for ("layers", 3, "conv", "kernel")."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def with_entry(value: Value, key: str, entry: Entry | None) -> Value:
    """The mapping with one entry set, or removed for None."""
    entries = {k: e for k, e in value.entries.items() if k != key}
    return replace(value, data=entries | ({key: entry} if entry else {}))
