"""The one jinja2 Environment, its filters for untrusted text, and files that are only written when they differ.

Templates live in `ip_templates/`. A user's own folder may hold templates of the same names; they come first, and extend
the shipped ones through the prefix `convmake/`:

    {% extends "convmake/project/hls.tcl.jinja" %}
    {% block after_synthesis %}puts "mine"{% endblock %}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from flow.diagnostics import BuildError, Problem, quoted, suggest

TEMPLATES = Path(__file__).resolve().parents[2] / "ip_templates"

# Words that Tcl takes as they are. A leading `-` or `~` is left to quoting, a leading `#` could start a comment.
_PLAIN_TCL = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:+=-]*")
_CPP_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words of C++20 that cannot be names. `__x` and `_X` are reserved as well, and refused below.
_CPP_KEYWORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl
    concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete
    do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
    requires return short signed sizeof static static_assert static_cast struct switch template this thread_local throw
    true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
"""


@cache
def environment(overrides: Path | None = None) -> jinja2.Environment:
    """Environment over `ip_templates/`, a user's folder `overrides` first; an undefined name is an error."""
    shipped = jinja2.FileSystemLoader(TEMPLATES)
    loaders: list[jinja2.BaseLoader] = [jinja2.PrefixLoader({"convmake": shipped}), shipped]
    if overrides is not None:
        loaders.insert(0, jinja2.FileSystemLoader(overrides))
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Tcl and C++, not HTML: the filters below quote
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["tcl_quote"] = tcl_quote
    made.filters["cpp_ident"] = cpp_ident
    return made


def render(template: str, context: Mapping[str, object], overrides: Path | None = None) -> str:
    """Text of a template below `ip_templates/`. GEN001 if there is none, GEN002 if it is broken."""
    try:
        return environment(overrides).get_template(template).render(context)
    except jinja2.TemplateNotFound as error:
        known = environment(overrides).list_templates()
        raise _broken(
            "GEN001", f"there is no template {quoted(error.name)}", template, 0, suggest(str(error), known)
        ) from error
    except jinja2.TemplateSyntaxError as error:
        raise _broken("GEN002", f"template: {error.message}", error.filename or template, error.lineno) from error
    except jinja2.UndefinedError as error:
        raise _broken("GEN002", f"template asks for what nobody gives: {error.message}", template, 0) from error


def write_if_changed(path: Path, text: str | bytes) -> bool:
    """Write only when the bytes differ, so that make-like tools see no change where there is none. True if written."""
    wanted = text.encode() if isinstance(text, str) else text
    if path.is_file() and path.read_bytes() == wanted:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wanted)
    return True


def tcl_quote(value: object) -> str:
    r"""One Tcl word that evaluates to exactly this text, whatever it holds.

    Plain words stay, text without backslashes and with balanced braces goes into braces, everything else into double
    quotes with backslashes (Tcl manual page `Tcl(n)`, rules 4, 6 and 9).
    """
    text = str(value)
    if _PLAIN_TCL.fullmatch(text):
        return text
    if all(0x20 <= ord(c) < 0x7F and c != "\\" for c in text) and _balanced(text):
        return f"{{{text}}}"
    return '"' + "".join(_tcl_character(c, text) for c in text) + '"'


def cpp_ident(value: object) -> str:
    """The text itself if it is a C++ name that nobody else owns; GEN003 otherwise."""
    text = str(value)
    reserved = "__" in text or re.match(r"_[A-Z]", text)
    if not _CPP_IDENTIFIER.fullmatch(text) or text in _CPP_KEYWORDS.split() or reserved:
        hint = "letters, digits and single underscores, a letter first, no C++ keyword"
        raise BuildError(Problem("GEN003", f"{quoted(text)} cannot be a C++ name", hint))
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0


def _tcl_character(character: str, text: str) -> str:
    if character in '\\"$[]{}':
        return "\\" + character
    if " " <= character <= "~":
        return character
    if character == "\0" or ord(character) > 0xFFFF or 0xD800 <= ord(character) < 0xE000:
        # Tcl 8 ends strings at NUL and knows the basic multilingual plane only.
        raise BuildError(Problem("GEN004", f"{quoted(text)} holds U+{ord(character):04X}, which Tcl 8 cannot write"))
    return f"\\u{ord(character):04x}"


def _broken(code: str, message: str, file: str, line: int, hint: str = "") -> BuildError:
    return BuildError(Problem(code, message, hint, file=file, line=line))
