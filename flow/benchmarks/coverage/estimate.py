"""Which graphs of real exporters pass `estimate`, and what the others lack."""

from __future__ import annotations

import re
from pathlib import Path

from flow.benchmarks.coverage.graphs import OF_ONNX, light_graphs
from flow.benchmarks.doit import Run, doit, report
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

_CUT = re.compile(r"`outputs: (\[[^`]*\])`")


def estimate(bench: Bench) -> list[Record]:
    """One record a graph: modelled throughput, or the error that lists what is missing."""
    found = light_graphs(bench.root, bench.networks)
    return [_estimate(bench.root, bench.build_dir, name, path) for name, path in found]


def _estimate(root: Path, build_dir: Path, name: str, path: Path) -> Record:
    run = _run(root, build_dir, name, path, "")
    cut = _CUT.search(" ".join(run.output.split()))
    if run.status != 0 and cut:  # a Softmax and what is behind it are the host's
        run = _run(root, build_dir, name, path, f", outputs: {cut[1]}")
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


def _run(root: Path, build_dir: Path, name: str, path: Path, more: str) -> Run:
    """`doit estimate` of a spec with further keys of the network."""
    spec = build_dir / "specs" / f"{name}.yaml"
    spec.parent.mkdir(exist_ok=True)
    quoted = str(path).replace("'", "''")
    spec.write_text(f"network: {{onnx: '{quoted}'{more}}}\ndevice: {DEVICE}\n", encoding="utf-8")
    return doit(root, build_dir, "estimate", f"spec={spec}")
