"""Read a YAML file into values with positions, reporting everything that is wrong with it as YAML.

The tree is built from the parser's events, not by PyYAML's constructors: no tag can create an object, nesting and
aliases are bounded, and every scalar's spelling is seen before YAML's type rules lose it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from flow.diagnostics import BuildError, Problem, quoted, source_lines, suggest
from flow.spec.scalars import Trap, read_block, read_plain, read_quoted
from flow.spec.syntax import character_problem, syntax_problem
from flow.spec.value import Entry, Place, Value

LARGEST_BYTES = 1 << 20
DEEPEST = 40
MOST_VALUES = 50_000

_READERS = {"'": read_quoted, '"': read_quoted, "|": read_block, ">": read_block}

# The C parser where PyYAML has it: ten times as fast, same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path, shown: str) -> tuple[Value, list[Problem]]:
    """The file's top-level mapping and the problems of its spelling; BuildError if it is no such thing at all.

    Args:
        path: the file.
        shown: its name in messages.
    """
    return parse_document(_decode(_read(path, shown), shown), shown)


def parse_document(text: str, shown: str) -> tuple[Value, list[Problem]]:
    """The same for text that was read already."""
    composer = _Composer(shown)
    try:
        root = composer.document(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        raise BuildError((syntax_problem(error, text, shown), *composer.problems)) from None
    except yaml.reader.ReaderError as error:
        raise BuildError(character_problem(error, text, shown)) from None
    if not root.bad and not isinstance(root.data, dict):
        hint = "write 'key: value' lines"
        raise BuildError(root.place.problem("SPEC019", "the top level must be a mapping of keys to values", hint))
    return root, composer.problems


class _Composer:
    """Builds one document from events; remembers anchors and problems."""

    def __init__(self, shown: str) -> None:
        self.file = shown
        self.problems: list[Problem] = []
        self.anchors: dict[str, Value] = {}
        self.open: set[str] = set()

    def document(self, events: Iterator[Any]) -> Value:
        next(events)  # stream start
        event = next(events)
        if isinstance(event, yaml.StreamEndEvent):
            raise BuildError(Problem("SPEC018", "the file is empty", "", self.file, 1, 1))
        root = self.value(events, next(events), 0)
        if root.bad and root.data == "":
            raise BuildError(Problem("SPEC018", "the file is empty", "", self.file, 1, 1))
        next(events)  # document end
        extra = next(events)
        if not isinstance(extra, yaml.StreamEndEvent):
            hint = "put each in a file of its own and remove the '---'"
            raise BuildError(self.place(extra).problem("SPEC020", "the file holds more than one YAML document", hint))
        return root

    def value(self, events: Iterator[Any], event: Any, depth: int) -> Value:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        tagged = self.check(event, depth)
        self.open |= {event.anchor} - {None}
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(events, event, depth)
        else:
            value = self.mapping(events, event, depth)
        if value.size > MOST_VALUES:
            raise BuildError(value.place.problem("SPEC022", f"more than {MOST_VALUES} values, aliases counted", ""))
        value = replace(value, bad=True) if tagged else value
        if event.anchor:
            self.open.discard(event.anchor)
            self.anchors[event.anchor] = value
        return value

    def check(self, event: Any, depth: int) -> bool:
        """Bound the nesting; whether the value has a tag (and then a problem)."""
        if depth > DEEPEST:
            raise BuildError(self.place(event).problem("SPEC022", f"nested more than {DEEPEST} levels deep", ""))
        if event.tag in (None, "!"):
            return False
        message = f"YAML tags such as {quoted(event.tag)} are not used here"
        self.problems.append(self.place(event).problem("SPEC023", message, "remove the tag; write text in quotes"))
        return True

    def alias(self, event: Any) -> Value:
        place = self.place(event)
        if event.anchor in self.anchors:
            return self.anchors[event.anchor]
        message = f"the alias '*{event.anchor}' refers to no anchor above it"
        if event.anchor in self.open:
            message = f"the alias '*{event.anchor}' is inside its own anchor"
        raise BuildError(place.problem("SPEC001", message, suggest(event.anchor, self.anchors)))

    def scalar(self, event: Any) -> Value:
        data = _READERS.get(event.style, read_plain)(event.value)
        place = self.place(event)
        if not isinstance(data, Trap):
            return Value(data, place)
        self.problems.append(place.problem(data.code, data.message, data.hint))
        return Value(event.value, place, bad=True)

    def sequence(self, events: Iterator[Any], start: Any, depth: int) -> Value:
        items = []
        size = 1
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.value(events, event, depth + 1))
            size += items[-1].size
            if size > MOST_VALUES:
                break  # refused by the caller
        return Value(tuple(items), self.place(start), size=size)

    def mapping(self, events: Iterator[Any], start: Any, depth: int) -> Value:
        entries: dict[str, Entry] = {}
        size = 1
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            place = self.place(event)
            key, good = self.key(event, place, depth)
            before = len(self.problems)
            value = self.value(events, next(events), depth + 1)
            size += value.size
            if size > MOST_VALUES:
                break
            self.name_missing(key, place, before)
            if key in entries:
                first = entries[key].place.problem("SPEC007", "first here")
                hint = "keep one of them; YAML would silently use the last"
                self.problems.append(place.problem("SPEC007", f"the key {quoted(key)} is given twice", hint, [first]))
            elif good:
                entries[key] = Entry(value, place)
        return Value(entries, self.place(start), size=size)

    def key(self, event: Any, place: Place, depth: int) -> tuple[str, bool]:
        """A key's text, and whether YAML reads it as text, too."""
        if not isinstance(event, yaml.ScalarEvent):
            raise BuildError(place.problem("SPEC023", "a key must be a plain word"))
        good = not self.check(event, depth)
        text = str(event.value)
        if event.style in (None, ""):
            if text == "<<":
                raise BuildError(place.problem("SPEC023", "merge keys ('<<') are not used here", "write the keys out"))
            if not isinstance(read_plain(text), str):
                message = f"YAML does not read the key {quoted(text)} as text"
                self.problems.append(place.problem("SPEC023", message, "write it in quotes"))
                good = False
        elif isinstance(trap := read_quoted(text), Trap):
            self.problems.append(place.problem(trap.code, trap.message, trap.hint))
            good = False
        return text, good

    def name_missing(self, key: str, place: Place, before: int) -> None:
        """An empty value stands nowhere: name its key, and point at that."""
        if len(self.problems) == before + 1 and self.problems[-1].message == "there is no value here":
            problem = self.problems[-1]
            message = f"the key {quoted(key)} has no value"
            self.problems[-1] = replace(problem, message=message, line=place.line, column=place.column)

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)


def _read(path: Path, shown: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BuildError(Problem("SPEC009", f"{quoted(shown)} is not a file", "", shown))
        if status.st_size > LARGEST_BYTES:
            message = f"the file has {status.st_size} bytes; a spec has at most {LARGEST_BYTES}"
            raise BuildError(Problem("SPEC022", message, "", shown))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise BuildError(Problem("SPEC009", f"cannot read {quoted(shown)}: {reason}", "", shown)) from None


def _decode(content: bytes, shown: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source_lines(content[: error.start].decode("utf-8"))
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        line, column = len(before), len(before[-1]) + 1
        raise BuildError(Problem("SPEC017", message, "save the file as UTF-8", shown, line, column)) from None
    return text.removeprefix("\ufeff")
