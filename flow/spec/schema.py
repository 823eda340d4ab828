"""Check values against the JSON Schemas in specs/schemas and say what is wrong in the user's terms.

The schemas are the single source: this module only turns a violation into a place, a code and a sentence. A key's
description is the hint for a wrong value of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flow.diagnostics import Problem, closest, quoted, suggest
from flow.spec.value import Path as KeyPath
from flow.spec.value import Place, Value, key_path, walk

SCHEMAS = Path(__file__).resolve().parents[2] / "specs" / "schemas"

_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping of keys to values",
    "boolean": "true or false",
    "null": "null",
}


def check(value: Value, schema: str, pointer: str = "") -> list[tuple[KeyPath, Problem]]:
    """Every violation with the path of the value it is about.

    Args:
        value: a document or a part of one.
        schema: file stem, e.g. `build`.
        pointer: JSON pointer of a definition in it, e.g. `/$defs/item`.
    """
    errors = [leaf for error in _validator(schema, pointer).iter_errors(value.plain()) for leaf in _leaves(error)]
    found = [item for error in errors for item in _describe(value, error)]
    return sorted(set(found), key=lambda item: (item[1].line, item[1].column, item[1].code, item[1].message))


@cache
def schema_keys(schema: str, pointer: str = "") -> tuple[str, ...]:
    """The keys that a schema's object knows, in its order."""
    part = _documents()[f"{schema}.schema.json"]
    for step in pointer.strip("/").split("/") if pointer else ():
        part = part[step]
    return tuple(part["properties"])


@cache
def _documents() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.schema.json"))}


@cache
def _validator(schema: str, pointer: str) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    # Without `$schema`, or a reference would fall back to the standard's own type checker.
    parts = {name: {k: v for k, v in part.items() if k != "$schema"} for name, part in _documents().items()}
    resources = [(name, DRAFT202012.create_resource(part)) for name, part in parts.items()]
    # JSON Schema calls 3.0 an integer; a person who writes 3.0 for a count made a mistake.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, x: type(x) is int)
    validator: Any = extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]
    return validator({"$ref": f"{schema}.schema.json#{pointer}"}, registry=Registry().with_resources(resources))


def _leaves(error: Any) -> Iterator[Any]:
    """The violation itself, or for alternatives those of the alternative that the author evidently meant."""
    if error.validator not in ("anyOf", "oneOf"):
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [b for b in branches.values() if not any(_wrong_kind(error, inner) for inner in b)]
    if not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _leaves(inner)


def _wrong_kind(outer: Any, inner: Any) -> bool:
    at_top = len(inner.absolute_path) == len(outer.absolute_path)
    if at_top and inner.validator == "enum" and isinstance(outer.instance, dict | list):
        return True  # a word was possible, but no word was meant
    return at_top and (inner.validator in ("type", "const") or (inner.validator == "anyOf" and not list(_meant(inner))))


def _meant(error: Any) -> Iterator[Any]:
    return (leaf for leaf in _leaves(error) if leaf is not error)


def _describe(root: Value, error: Any) -> Iterator[tuple[KeyPath, Problem]]:
    path: KeyPath = tuple(error.absolute_path)
    value, place = walk(root, path)
    if error.validator == "additionalProperties":
        yield from _unknown_keys(value, path, error)
    elif error.validator == "required":
        yield from _missing_keys(value, place, path, error)
    elif "propertyNames" in error.absolute_schema_path:
        at = value.key_place(error.instance)
        message = f"{quoted(error.instance)} is not {error.schema.get('title', 'a good name')}"
        yield (*path, error.instance), at.problem("SPEC010", message, error.schema.get("description", ""))
    elif not value.tainted():
        yield path, _wrong_value(value, path, error)


def _unknown_keys(value: Value, path: KeyPath, error: Any) -> Iterator[tuple[KeyPath, Problem]]:
    known = list(error.schema.get("properties", {}))
    where = f" in '{key_path(path)}'" if path else ""
    for key, entry in value.entries.items():
        if key not in known:
            unused = set(known) - set(value.entries)
            hint = suggest(key, unused if closest(key, unused) else known)
            yield (*path, key), entry.place.problem("SPEC002", f"unknown key {quoted(key)}{where}", hint)


def _missing_keys(value: Value, place: Place, path: KeyPath, error: Any) -> Iterator[tuple[KeyPath, Problem]]:
    where = f" in '{key_path(path)}'" if path else ""
    misspelt = {closest(key, error.validator_value) for key in value.entries if key not in error.schema["properties"]}
    for key in error.validator_value:
        if key not in value.entries and key not in misspelt:
            about = error.schema.get("properties", {}).get(key, {}).get("description", "")
            yield (*path, key), place.problem("SPEC003", f"the key '{key}' is missing{where}", about)


def _wrong_value(value: Value, path: KeyPath, error: Any) -> Problem:
    about = f"'{key_path(path)}'" if path else "the value"
    hint = error.schema.get("description", "")
    code, message = _sentence(about, error)
    if code == "SPEC006" and closest(str(error.instance), map(str, error.validator_value)):
        hint = suggest(str(error.instance), map(str, error.validator_value))
    if code == "SPEC004" and isinstance(error.instance, str) and _unquoted_number(error.instance):
        hint = "a number has no quotes and no unit"
    return value.place.problem(code, message, hint)


def _sentence(about: str, error: Any) -> tuple[str, str]:
    """Code and message of a violation about a value."""
    limit, shown = error.validator_value, _shown(error.instance)
    if error.instance is None and error.validator in ("type", "anyOf", "enum", "const"):
        return "SPEC015", f"{about} is null, which is no value"
    match error.validator:
        case "type" | "anyOf" | "oneOf":
            return "SPEC004", f"{about} must be {_kinds(error)}, not {shown}"
        case "enum":
            return "SPEC006", f"{about} is {shown}; it must be one of {', '.join(map(str, limit))}"
        case "const":
            return "SPEC026", f"{about} is {shown}; only '{limit}' is possible"
        case "pattern":
            return "SPEC010", f"{about} is {shown}, which is not {error.schema.get('title', 'of the right form')}"
    return "SPEC005", f"{about} is {shown}; it must {_bound(error.validator, limit)}"


def _bound(keyword: str, limit: Any) -> str:
    bounds = {
        "minimum": f"be at least {limit}",
        "maximum": f"be at most {limit}",
        "exclusiveMinimum": f"be greater than {limit}",
        "exclusiveMaximum": f"be less than {limit}",
        "minItems": f"have at least {limit} item{'s' * (limit != 1)}",
        "maxItems": f"have at most {limit} items",
        "minLength": "not be empty",
        "maxLength": f"have at most {limit} characters",
        "minProperties": f"have at least {limit} key{'s' * (limit != 1)}",
        "maxProperties": f"have at most {limit} key{'s' * (limit != 1)}",
        "uniqueItems": "not hold the same item twice",
    }
    return bounds.get(keyword, f"satisfy {keyword}")


def _kinds(error: Any) -> str:
    """What would have been right, in words."""
    if error.validator == "type":
        kinds = error.validator_value
        return " or ".join(_WORDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    words = [_kinds(inner) for inner in error.context if inner.validator in ("type", "anyOf")]
    words += [f"'{inner.validator_value}'" for inner in error.context if inner.validator == "const"]
    return " or ".join(dict.fromkeys(words)) or "something else"


def _shown(data: Any) -> str:
    if isinstance(data, str):
        return f"the text {quoted(data)}"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, dict | list):
        return "a mapping" if isinstance(data, dict) else f"a list of {len(data)}"
    return "null" if data is None else f"{data}"


def _unquoted_number(text: str) -> bool:
    return text.strip("'\" ")[:1].isdigit()


def under(found: Sequence[tuple[KeyPath, Problem]], *path: str | int) -> bool:
    """Whether a problem was found at a path or below it."""
    return any(where[: len(path)] == path for where, _ in found)
