"""Where a key of a build stands: for problems that only show when a stage runs, since a `Build` keeps no positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flow.diagnostics import BuildError
from flow.spec.build import Build
from flow.spec.document import read_document
from flow.spec.parts import Reading
from flow.spec.value import Place, walk


def locate(build: Build, project: Path, keys: Sequence[str]) -> Place:
    """Place of a key in the first file of the build that has it (the spec, else the part that it names).

    Args:
        build: a resolved build; project: its folder; keys: path of the key, such as ("precision", "layers", "fc1").
    """
    reading = Reading(project)
    for path in build.files:
        for below in (tuple(keys), tuple(keys[1:])):
            try:
                root, _ = read_document(path, reading.shown(path))
                return walk(root, below)[1] if below else root.place
            except (BuildError, KeyError):
                continue
    return Place(reading.shown(build.files[0]), 1, 1)
