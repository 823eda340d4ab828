"""Which graphs of real exporters pass `estimate`, and what the others lack."""

from __future__ import annotations

from pathlib import Path

from flow.benchmarks.coverage.graphs import OF_ONNX, light_graphs
from flow.benchmarks.coverage.specs import onnx_file, run_stage
from flow.benchmarks.doit import report
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record

DEVICE = "zcu102"
REQUIRED = (
    "alexnet",
    "vgg16",
    "googlenet",
    "resnet18",
    "resnet50",
    "squeezenet",
    "squeezenet1_1",
    "mobilenet_v2",
    "efficientnet_b0",
)
"""Networks that must pass as today's exporters write them; those inside `onnx` are cut where the error says."""


def estimate(bench: Bench) -> list[Record]:
    """One record a graph: modelled throughput, or the error that lists what is missing."""
    found = light_graphs(bench.root, bench.networks)
    return [_estimate(bench.root, bench.build_dir, name, path) for name, path in found]


def _estimate(root: Path, build_dir: Path, name: str, path: Path) -> Record:
    run = run_stage(root, build_dir, "estimate", name, onnx_file(path), f"device: {DEVICE}\n")
    wanted = not name.startswith(OF_ONNX) and path.stem.removeprefix("light_") in REQUIRED
    goal = "estimate passes" if wanted else "estimate passes, or one error says all that is in the way"
    if run.status == 0:
        fps = report(build_dir, name, folder="explore")["throughput_fps"]
        return Record(f"estimate: {name}", float(fps), "fps", goal, True, "modelled")
    errors = [line for line in run.output.splitlines() if "error[" in line]
    clear = len(errors) == 1 and "Traceback" not in run.output
    found = errors[0].partition("error[")[2] if errors else run.output[-200:]
    return Record(
        f"estimate: {name}", f"error[{found}" if errors else found, "", goal, clear and not wanted, "measured"
    )
