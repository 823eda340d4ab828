"""`doit evaluate design=FILE.yaml`: a hand-written design, costed and compared with what was measured of it."""

from __future__ import annotations

from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.spec import read_devices
from flow.tasks.command_line import spec_folder
from flow.tasks.project import Project


def evaluate_file(project: Project, path: Path) -> str:
    """Write `build/<stem>/report/` and return the table. CLI005 if there is no such file."""
    from flow.model.handmade.evaluate import evaluate
    from flow.model.handmade.read import read_design
    from flow.report import write_report
    from flow.report.handmade import comparison, hand_report

    shown = str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)
    if not path.is_file():
        hint = "a path is relative to the current folder"
        raise BuildError(Problem("CLI005", f"there is no file {quoted(shown)}", hint))
    found = evaluate(read_design(path, shown), read_devices(project.root))
    page = write_report(hand_report(found), spec_folder(project.build_dir, path) / "report")
    place = Path(page)
    where = place.relative_to(project.root) if place.is_relative_to(project.root) else place
    return f"{comparison(found)}\nreport: {where}\n"
