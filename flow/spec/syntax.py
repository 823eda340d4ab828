"""Text that is not YAML: the parser's complaint as a problem."""

from __future__ import annotations

import yaml

from flow.diagnostics import Problem, source_lines
from flow.spec.value import Place


def syntax_problem(error: yaml.MarkedYAMLError, text: str, shown: str) -> Problem:
    """Where and why the text is not YAML; tabs get a problem of their own."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    source = "".join(source_lines(text)[line - 1 : line])
    if "\t" in source[:column] and source[: column - 1].strip(" \t-") == "":
        place = Place(shown, line, source.index("\t") + 1)
        return place.problem("SPEC016", "a tab is used for indentation", "indent with spaces")
    related: tuple[Problem, ...] = ()
    if error.context and error.context_mark and error.context_mark.line + 1 != line:
        where = Place(shown, error.context_mark.line + 1, error.context_mark.column + 1)
        related = (where.problem("SPEC001", error.context),)
    return Problem("SPEC001", f"not YAML: {error.problem}", _syntax_hint(error.problem), shown, line, column, related)


def _syntax_hint(problem: str | None) -> str:
    if problem and "mapping values are not allowed" in problem:
        return "indent like the lines around it; a value that holds ': ' needs quotes"
    if problem and "expected" in problem:
        return "check brackets, quotes and indentation here and above"
    return ""


def character_problem(error: yaml.reader.ReaderError, text: str, shown: str) -> Problem:
    """A character that YAML forbids; the parser gives its byte offset."""
    odd = next((i for i, c in enumerate(text) if ord(c) == error.character or _forbidden(c)), 0)
    before = source_lines(text[:odd])
    character = f"U+{ord(text[odd]):04X}" if text else "a character"
    message = f"{character} is a control character"
    return Problem("SPEC017", message, "remove it", shown, len(before), len(before[-1]) + 1)


def _forbidden(character: str) -> bool:
    return (ord(character) < 32 and character not in "\t\n\r") or (0x7F <= ord(character) < 0xA0)
