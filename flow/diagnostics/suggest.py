"""Suggestions for misspelt words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 80  # difflib is quadratic; nobody means a word longer than this
_LISTED = 16


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: `did you mean 'x'?`, or what there is, or nothing if that would be a long list."""
    words = sorted(set(known))
    close = closest(word, words)
    if close:
        return f"did you mean '{close}'?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= _LISTED else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like `word`, or an empty string."""
    if len(word) > _LONGEST:
        return ""
    lower = {name.lower(): name for name in sorted(known, reverse=True)}
    close = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return lower[close[0]] if close else ""


def quoted(text: object, limit: int = 60) -> str:
    """A user's text on one line, in quotes, shortened, without control characters."""
    line = "".join(c if c.isprintable() else "?" for c in str(text))
    return f"'{line}'" if len(line) <= limit else f"'{line[: limit - 1]}…'"
