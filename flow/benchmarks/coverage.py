"""Which graphs of real exporters pass `estimate`, and what the others lack."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from flow.benchmarks.doit import Run, doit, report
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


def coverage(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """One record a graph: modelled throughput, or the error that lists what is missing."""
    folders = [networks] if networks else [root / "tests" / "data" / "networks", onnx_graphs()]
    return [
        _estimate(root, build_dir, path.absolute(), of_onnx=folder.samefile(onnx_graphs()))
        for folder in folders
        for path in sorted(folder.glob("*.onnx"))
    ]


def onnx_graphs() -> Path:
    """The zoo graphs inside the `onnx` package (constant weights)."""
    found = importlib.util.find_spec("onnx")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("onnx")
    return Path(found.origin).parent / "backend" / "test" / "data" / "light"


def _estimate(root: Path, build_dir: Path, path: Path, of_onnx: bool) -> Record:
    name = f"onnx_{path.stem}" if of_onnx else path.stem
    run = _run(root, build_dir, name, path, "")
    cut = _CUT.search(" ".join(run.output.split()))
    if run.status != 0 and cut:  # a Softmax and what is behind it are the host's
        run = _run(root, build_dir, name, path, f", outputs: {cut[1]}")
    wanted = not of_onnx and path.stem.removeprefix("light_") in REQUIRED
    goal = "estimate passes" if wanted else "estimate passes, or one error says all that is in the way"
    if run.status == 0:
        fps = report(build_dir, name, folder="explore")["throughput_fps"]
        return Record(name, float(fps), "fps", goal, True, "modelled")
    errors = [line for line in run.output.splitlines() if "error[" in line]
    clear = len(errors) == 1 and "Traceback" not in run.output
    found = errors[0].partition("error[")[2] if errors else run.output[-200:]
    return Record(name, f"error[{found}" if errors else found, "", goal, clear and not wanted, "measured")


def _run(root: Path, build_dir: Path, name: str, path: Path, more: str) -> Run:
    """`doit estimate` of a spec with further keys of the network."""
    spec = build_dir / "specs" / f"{name}.yaml"
    spec.parent.mkdir(exist_ok=True)
    quoted = str(path).replace("'", "''")
    spec.write_text(f"network: {{onnx: '{quoted}'{more}}}\ndevice: {DEVICE}\n", encoding="utf-8")
    return doit(root, build_dir, "estimate", f"spec={spec}")
