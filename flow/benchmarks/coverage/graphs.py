"""Graphs of real exporters whose large weights were taken out: the tests' own, and those inside the `onnx` package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

OF_ONNX = "onnx_"
"""In front of a graph's name where it comes from the `onnx` package: some are called like the tests'."""


def light_graphs(root: Path, networks: Path | None) -> list[tuple[str, Path]]:
    """Name and file of every graph, of one folder or of the tests' and the package's."""
    folders = [networks] if networks else [root / "tests" / "data" / "networks", onnx_graphs()]
    return [
        (f"{OF_ONNX if folder.samefile(onnx_graphs()) else ''}{path.stem}", path.absolute())
        for folder in folders
        for path in sorted(folder.glob("*.onnx"))
    ]


def onnx_graphs() -> Path:
    """The zoo graphs inside the `onnx` package (constant weights)."""
    found = importlib.util.find_spec("onnx")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("onnx")
    return Path(found.origin).parent / "backend" / "test" / "data" / "light"
