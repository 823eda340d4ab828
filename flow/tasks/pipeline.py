"""The rules of a build: which the pipeline lists, where their files are, what a stage's outcome depends on.

At every load only the pipeline's YAML is read and the listed files are digested; rules are imported when a stage runs.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.spec import Build
from flow.spec.pipeline import Entry, Pipeline, RuleFolder, load_pipeline
from flow.tasks.project import Project, files_digest

KINDS = ("rewrite", "decompose", "transform", "check")


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a pipeline with the folders that its rules come from.

    Attributes:
        entries: as listed; folders: the project's first, then the spec's own.
        files: of the listed rules that exist.
    """

    entries: tuple[Entry, ...]
    folders: tuple[RuleFolder, ...]
    files: tuple[Path, ...]

    @property
    def key(self) -> list[Any]:
        """Names and options in order: what tells two sequences apart."""
        return [[entry.rule, dict(entry.options)] for entry in self.entries]

    def state(self, root: Path) -> list[Any]:
        """Names, options and the bytes of the files."""
        return [self.key, files_digest(root, self.files)]


def pipeline_of(build: Build) -> Pipeline:
    return _read(build.pipeline_path)


@cache
def _read(path: Path) -> Pipeline:
    """Every stage of every build asks for its pipeline; the file is read once a call of doit."""
    return load_pipeline(path, _shown(path))


def section(project: Project, build: Build, kind: str) -> Section:
    """A section of a build's pipeline; BuildError for a folder of the user's that holds no rules."""
    entries: tuple[Entry, ...] = getattr(pipeline_of(build), kind)
    folders = tuple(_folders(project, build, kind))
    listed = {entry.rule for entry in entries}
    files = tuple(path for folder in folders for path in sorted(folder.path.glob("[!_]*.py")) if path.stem in listed)
    return Section(entries, folders, files)


def check_names(project: Project, builds: Sequence[Build]) -> None:
    """RULE001 for every rule that a pipeline lists and no folder has, of all sections at once; nothing is imported."""
    problems = []
    for build in builds:
        for kind in KINDS:
            listed = section(project, build, kind)
            known = [path.stem for folder in listed.folders for path in folder.path.glob("[!_]*.py")]
            for entry in listed.entries:
                if entry.rule not in known:
                    message = f"there is no {kind} rule {quoted(entry.rule)}"
                    problems.append(entry.problem("RULE001", message, suggest(entry.rule, known)))
    if problems:
        raise BuildError(tuple(problems))


def _folders(project: Project, build: Build, kind: str) -> Sequence[RuleFolder]:
    own = [RuleFolder(project.rules / kind, f"rules/{kind}")]
    for folder, text in zip(build.rules, build.rules_text, strict=True):
        if not any((folder / known).is_dir() for known in KINDS):
            hint = f"put rules into {text}/rewrite or {text}/transform, as in the project's own rules/"
            raise BuildError(Problem("RULE020", f"the folder {quoted(text)} holds no kind of rule", hint))
        if (folder / kind).is_dir():
            own.append(RuleFolder(folder / kind, _shown(folder / kind)))
    return own


def _shown(path: Path) -> str:
    """A path as people write it: relative where that is shorter."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def rules_table(project: Project) -> str:
    """Every shipped rule with its first line of documentation, in the order of the default pipeline."""
    path = project.rules / "pipelines" / "default.yaml"
    pipeline = load_pipeline(path, "rules/pipelines/default.yaml")
    lines = []
    for kind in KINDS:
        listed = [entry.rule for entry in getattr(pipeline, kind)]
        present = sorted(p.stem for p in (project.rules / kind).glob("[!_]*.py"))
        for name in [*listed, *(n for n in present if n not in listed)]:
            mark = f"{listed.index(name) + 1}" if name in listed else "-"
            lines.append(f"{kind:<10} {mark:>2}  {name:<28} {_summary(project.rules / kind / f'{name}.py')}")
    return "\n".join(lines) + "\n"


def _summary(path: Path) -> str:
    if not path.is_file():
        return "(no such file)"
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return doc.partition("\n")[0]
