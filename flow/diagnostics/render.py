"""How problems print: place, code, message, the line with a caret, hint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from flow.diagnostics.problem import Problem

# YAML's line breaks; a source line must be the one that the parser counted.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDEST = 140
_BEFORE = 60  # characters kept before the caret of a longer line
_LARGEST = 2_000_000


def render_all(problems: Iterable[Problem], root: Path | None = None) -> str:
    """All problems, sorted by place, each once. Relative file names are read below `root` (default: here)."""
    ordered = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.code, p.message))
    return "\n".join(render(problem, root) for problem in ordered)


def render(problem: Problem, root: Path | None = None) -> str:
    """One problem as lines of text, without a final newline."""
    lines = [f"{place(problem)}{problem.severity}[{problem.code}]: {problem.message}"]
    lines += _snippet(problem, root or Path())
    for other in problem.related:
        lines.append(f"  {place(other)}{other.message}")
        lines += _snippet(other, root or Path())
    if problem.hint:
        lines.append(f"  hint: {problem.hint}")
    return "\n".join(lines)


def place(problem: Problem) -> str:
    """`file:line:column: `, as far as it is known."""
    if not problem.file:
        return ""
    return f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else f"{problem.file}: "


def source_lines(text: str) -> list[str]:
    """The text cut at YAML's line breaks."""
    return _BREAK.split(text)


def _snippet(problem: Problem, root: Path) -> list[str]:
    line = _source_line(root / problem.file, problem.line) if problem.file and problem.line else None
    if line is None:
        return []
    column = min(max(problem.column, 1), len(line) + 1) - 1
    start = max(0, column - _BEFORE) if len(line) > _WIDEST else 0
    shown = _printable(line[start : start + _WIDEST])
    before = "".join("\t" if c == "\t" else " " for c in shown[: column - start])
    return [f"{problem.line:>6} | {shown.rstrip()}".rstrip(), f"{'':>6} | {before}^"]


def _source_line(path: Path, number: int) -> str | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return None
    lines = source_lines(text)
    return lines[number - 1] if number <= len(lines) else None


def _printable(line: str) -> str:
    """Control characters of a file must not reach the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in line)
