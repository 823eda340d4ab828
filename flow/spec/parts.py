"""Find and read the parts that a build names: networks, devices, constraints, pipelines, and files beside a spec."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flow.diagnostics import BuildError, Problem, closest, quoted, suggest
from flow.spec.document import read_document
from flow.spec.expand import unknown_kinds
from flow.spec.schema import check
from flow.spec.value import Entry, Value

FOLDERS = {"network": "networks", "device": "devices", "constraints": "constraints"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a build, by name or inline.

    Attributes:
        name: of the part's file; empty if it is held inline.
        value: its mapping, which has passed its schema.
        folder: what paths in it are relative to.
        shown: its file's name in messages.
        label: for origins: `network vgg16`, or `spec` if inline.
    """

    name: str
    value: Value
    folder: Path
    shown: str
    label: str


@dataclass(slots=True)
class Reading:
    """One resolution under way: where it reads, what it read, what it found wrong."""

    project: Path
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def shown(self, path: Path) -> str:
        """A path as the user knows it: below the project if it is there."""
        return str(path.relative_to(self.project)) if path.is_relative_to(self.project) else str(path)

    def document(self, path: Path) -> Value | None:
        """A YAML file; None (and its problems) if it cannot be used at all."""
        self.files.append(path)
        try:
            value, problems = read_document(path, self.shown(path))
        except BuildError as error:
            self.problems += error.problems
            return None
        self.problems += problems
        return value


def read_part(reading: Reading, spec: Value, key: str, folder: Path, broken: bool) -> Part | None:
    """The network, device or constraints of a build; None if there is none or it has problems (reported).

    Args:
        reading: the resolution.
        spec: the build's document.
        key: `network`, `device` or `constraints`.
        folder: of the build's file.
        broken: whether the build's own check found something wrong under the key.
    """
    value = spec.get(key)
    if value is None:
        return None
    if broken or value.tainted():
        _also(reading, key, value)
        return None
    if not isinstance(value.data, str):
        return Part("", value, folder, value.place.file, "spec")
    return _named_part(reading, key, value.data, value)


def _named_part(reading: Reading, key: str, name: str, value: Value) -> Part | None:
    folder = reading.project / "specs" / FOLDERS[key]
    path = folder / f"{name}.yaml"
    if not path.is_file():
        hint = suggest(name, part_names(reading.project, key)) or f"it would be specs/{FOLDERS[key]}/{name}.yaml"
        reading.problems.append(value.place.problem("SPEC008", f"unknown {key} {quoted(name)}", hint))
        return None
    document = reading.document(path)
    if document is None:
        return None
    found = check(document, key)
    reading.problems += [problem for _, problem in found]
    if found or document.tainted():
        _also(reading, key, document)
        return None
    return Part(name, document, folder, reading.shown(path), f"{key} {name}")


def _also(reading: Reading, key: str, value: Value) -> None:
    """What a broken part can still be told besides what its schema said."""
    if key == "network":
        reading.problems += unknown_kinds(value)


def part_names(project: Path, key: str) -> tuple[str, ...]:
    """Names of the networks, devices or constraints that a project has."""
    return tuple(sorted(path.stem for path in (project / "specs" / FOLDERS[key]).glob("*.yaml")))


def read_file(reading: Reading, value: Value | None, folder: Path, what: str) -> Path | None:
    """The file that a value names, relative to a folder; None (and a problem) if there is none."""
    if value is None or not isinstance(value.data, str) or value.bad:
        return None
    path = folder / value.data
    try:
        if path.is_file():
            return path
        siblings = [p.name for p in path.parent.iterdir() if p.suffix == path.suffix] if path.parent.is_dir() else []
    except (OSError, ValueError):
        siblings = []
    near = closest(path.name, [name for name in siblings if name != path.name])
    hint = f"did you mean '{near}'?" if near else "paths are relative to the file that holds them"
    if path.name in siblings:
        hint = "that is a folder"
    reading.problems.append(value.place.problem("SPEC009", f"there is no {what} {quoted(value.data)}", hint))
    return None


def read_folder(reading: Reading, value: Value, folder: Path) -> Path | None:
    """The same for a folder of rules."""
    if not isinstance(value.data, str) or value.bad:
        return None
    path = folder / value.data
    try:
        found = path.is_dir()
    except (OSError, ValueError):
        found = False
    if found:
        return path
    hint = "paths are relative to the file that holds them"
    reading.problems.append(value.place.problem("SPEC009", f"there is no folder {quoted(value.data)}", hint))
    return None


def find_calibration(reading: Reading, spec: Value, folder: Path) -> tuple[str, Path]:
    """The calibration file as written, and its path; the shipped estimates where a spec names none."""
    shipped = reading.project / "ip_templates" / "calibration.yaml"
    chosen = spec.get("calibration")
    value = chosen.get("file") if chosen else None
    path = read_file(reading, value, folder, "calibration") if value else None
    return (reading.shown(shipped), shipped) if path is None or value is None else (str(value.data), path)


def find_pipeline(reading: Reading, spec: Value, folder: Path, broken: bool) -> tuple[str, Path]:
    """The pipeline's name or path as written, and its file. A name is looked up in rules/pipelines."""
    entry: Entry | None = spec.entries.get("pipeline")
    shipped = reading.project / "rules" / "pipelines"
    if entry is None or broken or not isinstance(entry.value.data, str) or entry.value.bad:
        return "default", shipped / "default.yaml"
    text = entry.value.data
    if "/" in text or "\\" in text or text.endswith((".yaml", ".yml")):
        return text, read_file(reading, entry.value, folder, "pipeline") or folder
    path = shipped / f"{text}.yaml"
    if not path.is_file():
        hint = suggest(text, [p.stem for p in shipped.glob("*.yaml")]) or "pipelines are in rules/pipelines"
        reading.problems.append(entry.value.place.problem("SPEC008", f"unknown pipeline {quoted(text)}", hint))
    return text, path
