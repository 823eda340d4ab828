"""Just enough C++ to read a generated top function: tokens with lines, and the function that a pragma marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)
      | (?P<pragma>^[ \t]*\#[ \t]*pragma\b(?:[^\n]*\\\n)*[^\n]*)
      | (?P<directive>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>\.?\d[\w.]*)
      | (?P<mark>::|[{}()\[\];,<>*&=:.+\-/%!|^~?\#\\@$`])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_OPEN, _CLOSE = "({[", ")}]"


class ParseError(ValueError):
    """The text is not what a generated file looks like."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Token:
    """kind: pragma | string | word | number | mark."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function definition; `body` without its braces."""

    name: str
    arguments: tuple[tuple[Token, ...], ...]
    body: tuple[Token, ...]
    line: int


def tokens(source: str) -> tuple[Token, ...]:
    """Tokens without blanks, comments and directives other than pragmas. ParseError on anything else."""
    found, at, line = [], 0, 1
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ParseError(f"cannot read {source[at]!r}", line)
        kind, text = str(match.lastgroup), match.group()
        if kind not in ("blank", "directive"):
            found.append(Token(kind, text.strip(), line))
        line += text.count("\n")
        at = match.end()
    return tuple(found)


def functions(source: tuple[Token, ...]) -> tuple[Function, ...]:
    """Function definitions outside structs, in order."""
    found, at, start = [], 0, 0
    while at < len(source):
        text = source[at].text
        if text == ";":
            start = at + 1
        elif text == "{":
            head, end = source[start:at], closing(source, at)
            if _is_linkage(head):
                at, start = at + 1, at + 1
                continue
            if head and head[-1].text == ")":
                found.append(_function(head, source[at + 1 : end]))
            at, start = end, end + 1
        elif text == "}":
            start = at + 1  # the end of `extern "C" {`
        at += 1
    return tuple(found)


def _is_linkage(head: tuple[Token, ...]) -> bool:
    return len(head) >= 2 and head[-1].kind == "string" and head[-2].text == "extern"


def closing(source: tuple[Token, ...], at: int) -> int:
    """Position of the bracket that closes the one at `at`. ParseError if there is none."""
    waiting: list[str] = []
    for position in range(at, len(source)):
        token = source[position]
        if token.kind == "mark" and token.text in _OPEN:
            waiting.append(_CLOSE[_OPEN.index(token.text)])
        elif token.kind == "mark" and token.text in _CLOSE:
            if not waiting or waiting.pop() != token.text:
                raise ParseError(f"'{token.text}' closes nothing", token.line)
            if not waiting:
                return position
    raise ParseError(f"'{source[at].text}' is never closed", source[at].line)


def _function(head: tuple[Token, ...], body: tuple[Token, ...]) -> Function:
    opened = next((i for i, t in enumerate(head) if t.text == "("), 0)
    if opened == 0 or head[opened - 1].kind != "word":
        raise ParseError("a function has no name", head[0].line)
    name = head[opened - 1]
    return Function(name.text, separated(head[opened + 1 : -1]), body, name.line)


def separated(items: tuple[Token, ...]) -> tuple[tuple[Token, ...], ...]:
    """Comma-separated parts; commas inside brackets or template arguments do not count."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in items:
        depth += (token.text in ("(", "[", "{", "<")) - (token.text in (")", "]", "}", ">"))
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return tuple(tuple(p) for p in parts) if items else ()


def statements(body: tuple[Token, ...]) -> tuple[tuple[Token, ...], ...]:
    """Statements of a body without pragmas; one with a block of its own ends with the block's opening brace."""
    found: list[tuple[Token, ...]] = []
    current: list[Token] = []
    at = 0
    while at < len(body):
        token = body[at]
        if token.text == ";" and token.kind == "mark":
            found.append(tuple(current))
            current = []
        elif token.text == "{":
            found.append((*current, token))
            current, at = [], closing(body, at)
        elif token.kind != "pragma":
            current.append(token)
        at += 1
    if current:
        raise ParseError("a statement is not finished", current[0].line)
    return tuple(s for s in found if s)
