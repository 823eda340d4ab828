"""`doit calibrate reports=FOLDER [out=FILE]`: coefficients of LUTs and FFs from vendor reports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.tasks.files import write_atomically
from flow.tasks.project import Project


def calibrate_reports(project: Project, words: Mapping[str, str], here: Path) -> str:
    """Write the calibration and return its table. CLI007 without `reports=`, CLI005, CLI013, CAL0xx, TOOL004."""
    from flow.tools.calibration.calibrate import calibrate
    from flow.tools.calibration.text import calibration_yaml, table

    if "reports" not in words:
        hint = "doit calibrate reports=FOLDER [out=FILE], e.g. reports=build/lenet5_zedboard after `doit synthesise`"
        raise BuildError(Problem("CLI007", "'reports=' is missing", hint))
    folder = Path(os.path.abspath(here / words["reports"]))
    if not folder.is_dir():
        hint = "a path is relative to the current folder"
        raise BuildError(Problem("CLI005", f"there is no folder {quoted(words['reports'])}", hint))
    done = calibrate(folder, words["reports"], project.templates)
    out = Path(os.path.abspath(here / words["out"])) if "out" in words else project.build_dir / "calibration.yaml"
    _write(out, calibration_yaml(done))
    shown = out.relative_to(project.root) if out.is_relative_to(project.root) else out
    return f"{table(done)}\n{shown} written; a spec uses it by  calibration: {{file: PATH OF IT}}\n"


def _write(path: Path, text: str) -> None:
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        message = f"{quoted(path)} cannot be written: {error.strerror}"
        raise BuildError(Problem("CLI013", message, "name another file with out=FILE")) from None
