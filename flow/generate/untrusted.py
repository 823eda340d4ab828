"""Checks of text that comes from specs and ends in scripts: each gives the problems of one value."""

from __future__ import annotations

import math
import re

from flow.diagnostics import BuildError, Problem, quoted
from flow.generate.render import cpp_ident


def check_name(text: str) -> list[Problem]:
    try:
        cpp_ident(text)
    except BuildError as error:
        return list(error.problems)
    return []


def check_part(text: str) -> list[Problem]:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        return []
    return [Problem("GEN011", f"{quoted(text)} is not the name of a part", "such as xc7z045ffg900-2")]


def check_positive(what: str, value: float) -> list[Problem]:
    return [] if math.isfinite(value) and value > 0 else [Problem("GEN011", f"{what} of {value} is not positive")]


def check_files(what: str, files: tuple[str, ...]) -> list[Problem]:
    """Vitis HLS takes a list of files in one word, so a blank would cut a name in two, and `-x` would be an option."""
    if not files:
        return [Problem("GEN011", f"no {what} files")]
    bad = [f for f in files if not f or f.startswith(("-", "/")) or re.search(r"[\s\\{}\"\[\]$;*?]", f)]
    return [Problem("GEN011", f"{quoted(f)} cannot be a {what} file", "relative, no blanks or brackets") for f in bad]


def check_flag(flag: str) -> list[Problem]:
    if flag and not re.search(r"[\s\"'\\`$;&|<>]", flag):
        return []
    return [Problem("GEN011", f"{quoted(flag)} cannot be a compiler flag", "no blanks, quotes or shell characters")]


def stop(problems: list[Problem]) -> None:
    if problems:
        raise BuildError(tuple(problems))
