"""All figures of a build as JSON under stable names, and as a page."""

from __future__ import annotations

from flow.spec import Build
from flow.tasks.explore import explore_folder, spec_of
from flow.tasks.project import Project, files_digest
from flow.tasks.stage import Stage

EXPLORED = ("performance.json", "layers.json", "design.json", "pareto.json", "fifos.json")
WRITTEN = ("performance.json", "layers.json", "pareto.json", "index.html")


def report_stage(project: Project, build: Build) -> Stage:
    """The report, after everything else."""
    out = project.spec_dir(build)
    explored, folder = explore_folder(project, build), out / "report"

    def run() -> str:
        from flow.report import read_inputs, write_report

        write_report(read_inputs(explored, folder, commands=next_commands(project, build)), folder)
        page = folder / "index.html"
        return str(page.relative_to(project.root)) if page.is_relative_to(project.root) else str(page)

    return Stage(
        stage="report",
        name=build.name,
        run=run,
        inputs=(*(explored / name for name in EXPLORED), folder / "verification.json"),
        outputs=tuple(folder / name for name in WRITTEN),
        values={
            "templates": files_digest(project.root, tuple((project.root / "flow" / "report").rglob("*.*[!c]"))),
            "code": project.code("diagnostics", "report"),
        },
        doc=f"report of {build.name}",
        timings=folder / "timings.json",
    )


def next_commands(project: Project, build: Build) -> tuple[tuple[str, str], ...]:
    """What to run next: on a virtual board, and where the vendor's tools are installed."""
    words = f"spec={spec_of(build)}" + ("" if build.point is None else f" point={build.point}")
    return (
        ("run images through the host program on a virtual board", f"doit board {words}"),
        ("synthesise every partition and read the reports back", f"doit synthesise {words}"),
    )
