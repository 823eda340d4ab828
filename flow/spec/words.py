"""`name=value` words of a command line: checked against the known ones, and `spec=` turned into files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from flow.diagnostics import BuildError, Problem, closest, quoted, suggest
from flow.spec.resolve import build_name

_SUFFIXES = (".yaml", ".yml")


def parse_words(words: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """Name to value of words such as `spec=vgg16_zc706`.

    Args:
        words: the words of a command line that are not tasks or options.
        known: names that the command understands.

    Raises:
        BuildError: CLI001 unknown name, CLI002 given twice, CLI003 no value, CLI006 not `name=value`.
    """
    names = sorted(known)
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for word in words:
        name, equals, value = word.partition("=")
        problem = _word_problem(name, equals, value, names, values)
        if problem:
            problems.append(problem)
        else:
            values[name] = value
    if problems:
        raise BuildError(tuple(problems))
    return values


def _word_problem(name: str, equals: str, value: str, known: Sequence[str], seen: Mapping[str, str]) -> Problem | None:
    if not equals:
        return Problem("CLI006", f"{quoted(name)} is not of the form name=value", suggest(name, known))
    if name not in known:
        return Problem("CLI001", f"unknown option {quoted(name)}", suggest(name, known))
    if name in seen:
        return Problem("CLI002", f"'{name}=' is given twice", "separate several values by commas")
    if not value.strip():
        return Problem("CLI003", f"'{name}=' has no value", f"write {name}=VALUE")
    return None


def spec_paths(value: str, project: Path, here: Path | None = None) -> tuple[Path, ...]:
    """The files that `spec=a,b` means: names of builds in specs/, or paths, relative to `here` (the current folder).

    Raises:
        BuildError: CLI003 an empty one, CLI004 two that would share a build folder, CLI005 no such build.
    """
    paths: list[Path] = []
    problems: list[Problem] = []
    for text in value.split(","):
        try:
            paths.append(_spec_path(text.strip(), project, here or Path.cwd()))
        except BuildError as error:
            problems += error.problems
    problems += _clashes(paths)
    if problems:
        raise BuildError(tuple(problems))
    return tuple(paths)


def _spec_path(text: str, project: Path, here: Path) -> Path:
    if not text:
        raise BuildError(Problem("CLI003", "'spec=' has an empty name", "write spec=NAME or spec=NAME,NAME"))
    is_path = "/" in text or text.endswith(_SUFFIXES)
    path = here / text if is_path else project / "specs" / f"{text}.yaml"
    try:
        if path.is_file():
            return Path(os.path.abspath(path))
        if path.is_dir():
            raise BuildError(Problem("CLI005", f"{quoted(text)} is a folder", "name a YAML file"))
        near = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        names = [other.name if is_path else other.stem for other in near if other.suffix in _SUFFIXES]
    except (OSError, ValueError):
        names = []
    if is_path:
        meant = closest(path.name, names)
        hint = f"did you mean '{meant}'?" if meant else "a path is relative to the current folder"
        raise BuildError(Problem("CLI005", f"there is no file {quoted(text)}", hint))
    raise BuildError(Problem("CLI005", f"there is no build {quoted(text)} in specs", suggest(text, names)))


def _clashes(paths: Sequence[Path]) -> Iterable[Problem]:
    """Two builds of one name would write into one folder."""
    seen: dict[str, Path] = {}
    for path in paths:
        name = build_name(path)
        if name in seen:
            message = f"two specs are called '{name}': {seen[name].name} and {path.name} would share build/{name}"
            if seen[name] == path:
                message = f"the spec '{name}' is given twice"
            yield Problem("CLI004", message, "rename one, or build them in two calls")
        seen.setdefault(name, path)
