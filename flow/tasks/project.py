"""Where things lie: the project's own folders and the build folder that all outputs go to."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flow.spec import Build


@dataclass(frozen=True, slots=True)
class Project:
    """Folders of the project; `build_dir` is the only one that is written to."""

    root: Path
    build_dir: Path

    @property
    def templates(self) -> Path:
        return self.root / "ip_templates"

    @property
    def rules(self) -> Path:
        return self.root / "rules"

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    def spec_dir(self, build: Build) -> Path:
        return self.build_dir / build.name

    def network_dir(self, build: Build) -> Path:
        """Artefacts that every build of this network shares."""
        return self.build_dir / "networks" / f"{build.network.name}-{network_key(build, self.root)}"

    def code(self, *packages: str) -> str:
        """Digest of the source files of some packages of `flow`: code is an input like any other."""
        return _code_digest(self.root, packages)


def digest(value: Any) -> str:
    """Digest of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def network_key(build: Build, root: Path) -> str:
    """Eight hexadecimal digits that tell networks of one name apart: of what is declared, not of a file's bytes.

    A file of the project counts by its place in it, so that another clone gives the same key.
    """
    network = build.network
    declared = [repr(layer) for layer in network.layers]
    place = _below(network.onnx, root) if network.onnx else ""
    return digest([network.name, place, network.input_shape, declared, network.outputs, network.seed])[:8]


def _below(path: Path, root: Path) -> str:
    path = Path(os.path.abspath(path))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


@cache
def _code_digest(root: Path, packages: tuple[str, ...]) -> str:
    state = hashlib.sha256()
    for package in packages:
        folder = root / "flow" / package
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".cpp", ".h")):
            state.update(path.relative_to(root).as_posix().encode() + b"\0")
            state.update(path.read_bytes() + b"\0")
    return state.hexdigest()


def files_digest(root: Path, paths: tuple[Path, ...]) -> str:
    """Digest of files by their place below `root` (or their name) and their bytes."""
    state = hashlib.sha256()
    for path in sorted(paths):
        name = _below(path, root) if path.is_relative_to(root) else path.name
        state.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()
