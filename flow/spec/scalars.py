"""Plain YAML scalars, and the traps that YAML 1.1 sets for people who write numbers and words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from flow.diagnostics import quoted
from flow.spec.value import Scalar

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
_NUMBER_LIKE = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"[-+]?0[oO]?[0-9_]+")
_BASED = re.compile(r"[-+]?0([xX][0-9a-fA-F_]+|[bB][01_]+)")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_NULLS = ("~", "null", "Null", "NULL")
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Trap:
    """Text that YAML reads as something else than its author meant."""

    code: str
    message: str
    hint: str


def read_plain(text: str) -> Scalar | Trap:
    """The value of an unquoted scalar, or why it cannot be trusted."""
    if text == "":
        return Trap("SPEC015", "there is no value here", "write a value, or remove the key")
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    trap = _word_trap(text)
    if trap:
        return trap
    return _number(text) if text[0] in "+-.0123456789" else text


def read_quoted(text: str) -> Scalar | Trap:
    """The text of a quoted scalar; control characters and odd spaces are refused."""
    odd = next((c for c in text if not c.isprintable()), None)
    if odd is None:
        return text
    return Trap("SPEC017", f"the text holds the character U+{ord(odd):04X}", "remove it; it cannot be seen")


def read_block(text: str) -> Scalar | Trap:
    """The text of a block (`|` or `>`), which may have several lines, without its last line break."""
    lines = text.rstrip("\n")
    checked = read_quoted(lines.replace("\n", " "))
    return checked if isinstance(checked, Trap) else lines


def _word_trap(text: str) -> Trap | None:
    if text.lower() in _SWITCHES:
        meant = _SWITCHES[text.lower()]
        hint = f'write {meant}, or "{text}" in quotes for the word'
        return Trap("SPEC012", f"YAML reads the word {quoted(text)} as {meant}", hint)
    checked = read_quoted(text)
    return checked if isinstance(checked, Trap) else None


def _number(text: str) -> Scalar | Trap:
    """A number in one of two plain spellings; every other spelling of a number is a trap, the rest is text."""
    if len(text) > 400 or (_INTEGER.fullmatch(text) and len(text) > _DIGITS):
        return Trap("SPEC021", f"{quoted(text, 30)} is too long for a number", "")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else Trap("SPEC021", f"{quoted(text)} is too large for a number", "")
    return _number_trap(text) or text


def _number_trap(text: str) -> Trap | None:
    """Spellings that YAML 1.1, YAML 1.2 and people read differently."""
    shown = quoted(text)
    digits = text.lower().replace("0o", "").replace("_", "").lstrip("+-0") or "0"
    as_text = "write it in quotes for text"
    decimal = "write it in decimal, or in quotes for text"
    traps = (
        (_NOT_FINITE, Trap("SPEC021", f"{shown} is not a finite number", "write a number")),
        (_OCTAL, Trap("SPEC013", f"{shown} would be octal (base 8)", f"write {digits} without leading zeros")),
        (_BASED, Trap("SPEC011", f"{shown} is not a decimal number", decimal)),
        (_NUMBER_LIKE, Trap("SPEC011", f"YAML reads {shown} as text, though it looks like a number", _spelled(text))),
        (_SEXAGESIMAL, Trap("SPEC014", f"YAML reads {shown} as a number in base 60", as_text)),
        (_DATE, Trap("SPEC024", f"YAML reads {shown} as a date", as_text)),
    )
    return next((trap for pattern, trap in traps if pattern.fullmatch(text)), None)


def _spelled(text: str) -> str:
    try:
        number = float(text.replace("_", ""))
    except ValueError:
        return "write a plain number"
    if not math.isfinite(number) or abs(number) >= 10**_DIGITS:
        return "write a plain number"
    plain = str(int(number) if number == int(number) else number)
    if "e" in plain and "." not in plain:
        plain = plain.replace("e", ".0e")  # YAML 1.1 reads 1e-05 as text
    return f"write {plain}, or '{text}' in quotes for text"
