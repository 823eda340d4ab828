"""Which graphs of real exporters pass `estimate`, and what the others lack."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from flow.benchmarks.doit import doit, report
from flow.benchmarks.record import Record

DEVICE = "zcu102"
REQUIRED = ("alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "squeezenet", "mobilenet_v2")


def coverage(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """One record a graph: modelled throughput, or the error that lists what is missing."""
    folders = [networks] if networks else [root / "tests" / "data" / "networks", onnx_graphs()]
    files = [path.absolute() for folder in folders for path in sorted(folder.glob("*.onnx"))]
    return [_estimate(root, build_dir, path) for path in files]


def onnx_graphs() -> Path:
    """The zoo graphs inside the `onnx` package (constant weights)."""
    found = importlib.util.find_spec("onnx")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("onnx")
    return Path(found.origin).parent / "backend" / "test" / "data" / "light"


def _estimate(root: Path, build_dir: Path, path: Path) -> Record:
    spec = build_dir / "specs" / f"{path.stem}.yaml"
    spec.parent.mkdir(exist_ok=True)
    quoted = str(path).replace("'", "''")
    spec.write_text(f"network: {{onnx: '{quoted}'}}\ndevice: {DEVICE}\n", encoding="utf-8")
    run = doit(root, build_dir, "estimate", f"spec={spec}")
    wanted = any(path.stem.removeprefix("light_").startswith(name) for name in REQUIRED)
    goal = "estimate passes" if wanted else "estimate passes, or an error lists what is missing"
    if run.status == 0:
        fps = report(build_dir, path.stem, folder="explore")["throughput_fps"]
        return Record(path.stem, float(fps), "fps", goal, True, "modelled")
    clear = "error[" in run.output and "Traceback" not in run.output
    found = next((line for line in run.output.splitlines() if "error[" in line), run.output[-200:])
    return Record(path.stem, found, "", goal, clear and not wanted, "measured")
