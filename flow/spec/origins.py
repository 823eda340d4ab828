"""Where each resolved value came from: a key of the spec, a key of a part, or a default. Never a line number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flow.spec.parts import Part
from flow.spec.value import Value

_PARTS = ("network", "device", "constraints")


def origins(spec: Value, parts: Mapping[str, Part | None]) -> tuple[tuple[str, str], ...]:
    """(key path, `spec: key` or `device zc706: key`) of everything that somebody wrote, sorted; the rest is a default.

    Lists count as one value.
    """
    found: dict[str, str] = {}
    for key, entry in spec.entries.items():
        part = parts.get(key)
        if key in _PARTS and part is not None:
            prefix = f"{key}." if part.label == "spec" else ""
            found |= {f"{key}.{path}": f"{part.label}: {prefix}{path}" for path in _leaves(part.value, ())}
            if part.label != "spec":
                found[f"{key}.name"] = f"spec: {key}"
        else:
            found |= {path: f"spec: {path}" for path in _leaves(entry.value, (key,))}
    device = parts.get("device")
    if "clock_mhz" not in spec.entries and device is not None:
        found["clock_mhz"] = f"{device.label}: clock_guide_mhz"
    found["name"] = "file name"
    return tuple(sorted(found.items()))


def origin_of(path: str, known: Mapping[str, str]) -> str:
    """The origin of a resolved value: of its key, of a key below it, or of one above that was written as one value."""
    below = next((origin for key, origin in known.items() if key.startswith(f"{path}.")), None)
    if below is not None:
        return f"{below.partition(': ')[0]}: {path}"
    while path:
        if path in known:
            return known[path]
        path = path.rpartition(".")[0]
    return "default"


def _leaves(value: Value, path: Sequence[str]) -> Iterator[str]:
    if not value.entries:
        yield ".".join(path)
        return
    for key, entry in value.entries.items():
        yield from _leaves(entry.value, (*path, key))
