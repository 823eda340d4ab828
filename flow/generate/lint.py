"""The rules of canonical dataflow, checked on the C++ that was generated (UG1399, "Dataflow").

A tool that finds a region not canonical may synthesise something slower or wrong without stopping, and C simulation
runs the same either way. So the source itself is parsed and every departure is an error, whatever the templates are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flow.diagnostics import Problem, suggest
from flow.generate.cpp import Function, ParseError, Token, functions, separated, statements, tokens

Signatures = Mapping[str, tuple[str, ...]]
"""Kinds of every process' arguments: in, out, port_in, port_out, memory_in, memory_out, scalar."""

_CONTROL = frozenset(("if", "else", "for", "while", "do", "switch", "goto", "return", "break", "continue", "try"))
_READS, _WRITES = ("in", "port_in"), ("out", "port_out")
_MEMORY = ("memory_in", "memory_out")


@dataclass(frozen=True, slots=True)
class Call:
    """A process: its function, the struct that configures it, its arguments."""

    function: str
    config: str
    arguments: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Region:
    """The dataflow region: what its function declares, takes and calls."""

    function: Function
    streams: Mapping[str, int]
    pointers: Mapping[str, int]
    scalars: Mapping[str, int]
    calls: tuple[Call, ...]


def lint(source: str, signatures: Signatures, file: str = "") -> tuple[Problem, ...]:
    """Problems of a partition's source, by line: GEN040 to GEN049."""
    try:
        found = _lint(source, signatures)
    except ParseError as error:
        found = [Problem("GEN040", f"cannot be read as a partition: {error}", line=error.line, column=1)]
    named = [Problem(p.code, p.message, p.hint, file, p.line, p.column) for p in found]
    return tuple(sorted(named, key=lambda p: (p.line, p.code, p.message)))


def _lint(source: str, signatures: Signatures) -> list[Problem]:
    defined = functions(tokens(source))
    if len(defined) != 1:
        raise ParseError(f"{len(defined)} functions where there must be one", defined[1].line if defined else 1)
    region, problems = _region(defined[0])
    pragmas = [t for t in defined[0].body if t.kind == "pragma"]
    problems += _check_pragmas(region, pragmas)
    problems += _check_calls(region, signatures)
    uses = _uses(region, signatures)
    problems += _check_streams(region, uses)
    problems += _check_arguments(region, uses)
    return problems


def _region(function: Function) -> tuple[Region, list[Problem]]:
    streams: dict[str, int] = {}
    calls: list[Call] = []
    problems: list[Problem] = []
    for statement in statements(function.body):
        name = _declared_stream(statement)
        call = _call(statement)
        if name is not None:
            if name in streams:
                problems.append(_problem("GEN042", f"stream '{name}' is declared twice", statement[0].line))
            streams[name] = statement[0].line
        elif call is not None:
            calls.append(call)
        else:
            problems.append(_foreign(statement))
    pointers = {a[-1].text: a[-1].line for a in function.arguments if any(t.text == "*" for t in a)}
    scalars = {a[-1].text: a[-1].line for a in function.arguments if a[-1].text not in pointers}
    return Region(function, streams, pointers, scalars, tuple(calls)), problems


def _declared_stream(statement: tuple[Token, ...]) -> str | None:
    """Name in `hls::stream<…> name` or `hls::stream<…> name("…")`."""
    text = [t.text for t in statement]
    if text[:4] != ["hls", "::", "stream", "<"] or ">" not in text:
        return None
    last = len(text) - 1 - text[::-1].index(">")
    rest = statement[last + 1 :]
    plain = len(rest) == 1
    with_name = len(rest) == 4 and rest[1].text == "(" and rest[2].kind == "string" and rest[3].text == ")"
    return rest[0].text if (plain or with_name) and rest[0].kind == "word" else None


def _call(statement: tuple[Token, ...]) -> Call | None:
    """`function<config>(a, b, …)` whose arguments are plain names."""
    text = [t.text for t in statement]
    if len(text) < 6 or text[1] != "<" or text[3:5] != [">", "("] or text[-1] != ")":
        return None
    parts = separated(statement[5:-1])
    if any(len(p) != 1 or p[0].kind != "word" for p in parts) or text[0] in _CONTROL:
        return None
    return Call(text[0], text[2], tuple(p[0].text for p in parts), statement[0].line)


def _foreign(statement: tuple[Token, ...]) -> Problem:
    control = next((t.text for t in statement if t.text in _CONTROL), None)
    what = f"'{control}' is control flow" if control else f"'{' '.join(t.text for t in statement)[:60]}' is neither"
    return _problem("GEN042", f"{what}: a dataflow region only declares streams and calls processes", statement[0].line)


def _check_pragmas(region: Region, pragmas: Iterable[Token]) -> Iterator[Problem]:
    options = [(p.line, *_pragma(p.text)) for p in pragmas]
    if not any(kind == "DATAFLOW" for _, kind, _ in options):
        yield _problem("GEN041", f"'{region.function.name}' has no DATAFLOW pragma", region.function.line)
    sized = [o for _, kind, o in options if kind == "STREAM" and _positive(o.get("depth", ""))]
    depths = Counter(o.get("variable", "") for o in sized)
    for name, line in region.streams.items():
        if depths[name] != 1:
            yield _problem("GEN046", f"stream '{name}' has {depths[name]} depths instead of one", line)
    masters = {o.get("port", ""): o.get("bundle", "") for _, kind, o in options if kind == "INTERFACE" and "m_axi" in o}
    for name, line in region.pointers.items():
        bundle = masters.get(name, "")
        if not bundle or sum(b == bundle for b in masters.values()) != 1:
            yield _problem("GEN044", f"'{name}' has no AXI master of its own", line)
    lite = {o.get("port", "") for _, kind, o in options if kind == "INTERFACE" and "s_axilite" in o}
    for name, line in {**region.scalars, "return": region.function.line}.items():
        if name not in lite:
            yield _problem("GEN045", f"'{name}' is not a register: it has no s_axilite INTERFACE", line)


def _pragma(text: str) -> tuple[str, dict[str, str]]:
    """Kind and options of `#pragma HLS KIND a b=c`; an option without a value is itself its value."""
    words = re.sub(r"\s*=\s*", "=", text.partition("pragma")[2]).split()
    if len(words) < 2 or words[0].upper() != "HLS":
        return "", {}
    pairs = [w.partition("=") for w in words[2:]]
    return words[1].upper(), {key.lower(): value or key for key, _, value in pairs}


def _positive(depth: str) -> bool:
    return depth.isdecimal() and int(depth) > 0


def _check_calls(region: Region, signatures: Signatures) -> Iterator[Problem]:
    known = {*region.streams, *region.pointers, *region.scalars}
    configs = Counter(c.config for c in region.calls)
    for call in region.calls:
        if call.function not in signatures:
            hint = suggest(call.function, signatures)
            yield _problem("GEN047", f"'{call.function}' is no process", call.line, hint)
            continue
        kinds = signatures[call.function]
        if len(kinds) != len(call.arguments):
            message = f"'{call.function}' takes {len(kinds)} arguments, not {len(call.arguments)}"
            yield _problem("GEN047", message, call.line)
        for kind, name in zip(kinds, call.arguments, strict=False):
            wanted = region.pointers if kind in _MEMORY else region.scalars if kind == "scalar" else region.streams
            if name not in wanted:
                hint = suggest(name, known) if name not in known else ""
                yield _problem("GEN047", f"'{name}' cannot be the {kind} of '{call.function}'", call.line, hint)
        if configs[call.config] > 1:
            yield _problem("GEN049", f"'{call.config}' configures two processes, which would share memories", call.line)


def _uses(region: Region, signatures: Signatures) -> dict[str, list[tuple[str, int]]]:
    """For every name the kinds of arguments that it is, with the position of the call."""
    uses: dict[str, list[tuple[str, int]]] = {}
    for position, call in enumerate(region.calls):
        for kind, name in zip(signatures.get(call.function, ()), call.arguments, strict=False):
            uses.setdefault(name, []).append((kind, position))
    return uses


def _check_streams(region: Region, uses: Mapping[str, list[tuple[str, int]]]) -> Iterator[Problem]:
    for name, line in region.streams.items():
        writers = [position for kind, position in uses.get(name, []) if kind in _WRITES]
        readers = [position for kind, position in uses.get(name, []) if kind in _READS]
        if len(writers) != 1 or len(readers) != 1:
            message = f"stream '{name}' has {len(writers)} producers and {len(readers)} consumers instead of one each"
            yield _problem("GEN043", message, line)
        elif writers[0] >= readers[0]:
            yield _problem("GEN048", f"stream '{name}' is read before it is written", region.calls[readers[0]].line)


def _check_arguments(region: Region, uses: Mapping[str, list[tuple[str, int]]]) -> Iterator[Problem]:
    for code, what, names in (("GEN044", "memory port", region.pointers), ("GEN045", "scalar", region.scalars)):
        for name, line in names.items():
            count = len(uses.get(name, []))
            if count != 1:
                yield _problem(code, f"{what} '{name}' is used by {count} calls instead of one", line)


def _problem(code: str, message: str, line: int, hint: str = "") -> Problem:
    return Problem(code, message, hint, line=line, column=1)
