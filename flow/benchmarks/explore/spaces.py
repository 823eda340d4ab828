"""The design space of a spec inside this process, for what is compared design by design."""

from __future__ import annotations

import shutil
from pathlib import Path

from flow.benchmarks.doit import doit
from flow.benchmarks.explore.cases import Bench
from flow.diagnostics import BuildError, Problem
from flow.explore.space import Space
from flow.explore.transform import load_transforms
from flow.ir import load_graph
from flow.spec import resolve
from flow.spec.pipeline import RuleFolder, load_pipeline


def space_of_spec(bench: Bench, spec: Path) -> Space:
    """The space that `doit estimate` explores for a spec of the shipped rules. TOOL006 if its network is refused."""
    from flow.explore.engine import design_space
    from flow.model.datasheet import load_catalogue

    build = resolve(spec, bench.root)
    scratch = bench.build_dir / "spaces" / build.name
    shutil.rmtree(scratch, ignore_errors=True)
    run = doit(bench.root, scratch, "rewrite", f"spec={spec}")
    if run.status:
        raise BuildError(Problem("TOOL006", f"doit rewrite spec={spec.name} failed: {run.output[-300:]}"))
    (log,) = (scratch / "networks").glob("*/rewrite-*/rewrite.log")
    pipeline = load_pipeline(build.pipeline_path, "pipeline")
    rules = load_transforms([RuleFolder(bench.root / "rules" / "transform", "rules/transform")], pipeline.transform)
    catalogue = load_catalogue(bench.root / "ip_templates", build.device.dsp_type)
    graph = load_graph(log.parent)
    return design_space(
        graph, build.device, build.clock_mhz, build.batch, build.precision, build.constraints, rules, catalogue
    )
