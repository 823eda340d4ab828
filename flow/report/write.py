"""Writes the report: all of it is made before the first file changes, and each file appears whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flow.ir import canonical_json
from flow.report.page import render_page
from flow.report.records import ReportInputs


def write_report(inputs: ReportInputs, folder: Path) -> str:
    """Write `performance.json`, `layers.json`, `pareto.json` and `index.html` into `folder`.

    Returns:
        The page's path, for the line that is printed.
    """
    files = {
        "performance.json": canonical_json(dict(inputs.performance)),
        "layers.json": canonical_json([dict(item) for item in inputs.layers]),
        "pareto.json": canonical_json({**inputs.search, "points": [dict(item) for item in inputs.pareto]}),
        "index.html": render_page(inputs),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        _replace(folder / name, text)
    return (folder / "index.html").as_posix()


def _replace(path: Path, text: str) -> None:
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    Path(scratch).chmod(0o644)
    os.replace(scratch, path)
