"""Whole builds of the shipped specs: what they reach, how long they take, whether the bits agree."""

from __future__ import annotations

from pathlib import Path

from flow.benchmarks.doit import doit, report
from flow.benchmarks.record import Record, at_least, at_most

PUBLISHED_VGG16_FPS = 5.07
"""fpgaConvNet, VGG-16, XC7Z045, 125 MHz, w16a16, 855 DSP (as listed in StreamSVD, FPT 2021, Table III)."""


def vgg16(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """The main job, from nothing, and then again with nothing to do."""
    spec = "vgg16_zc706"
    estimate = doit(root, build_dir / "estimate", "estimate", f"spec={spec}")
    first = doit(root, build_dir, "build", f"spec={spec}")
    if estimate.status or first.status:
        failed = (estimate if estimate.status else first).output
        return [Record("vgg16_zc706 builds", failed[-400:], "", "it builds", False)]
    second = doit(root, build_dir, "build", f"spec={spec}")
    idle = "up to date" in second.output
    performance, verification = report(build_dir, spec), report(build_dir, spec, "verification")
    return [
        at_most("doit estimate spec=vgg16_zc706", estimate.seconds, "s", 30),
        at_most("doit build spec=vgg16_zc706", first.seconds, "s", 360),
        at_most("a second doit build", second.seconds, "s", 1.0),
        Record("the second build ran nothing", idle, "", "true", idle),
        at_least("throughput", performance["throughput_fps"], "fps", PUBLISHED_VGG16_FPS, "modelled"),
        Record("bound", performance["bound_fps"], "fps", kind="modelled"),
        Record("ratio to the bound", performance["bound_ratio"], "", kind="modelled"),
        Record("partitions", performance["partitions"], "", kind="modelled"),
        *_verified(spec, verification),
    ]


def _verified(spec: str, verification: dict[str, object]) -> list[Record]:
    exact = bool(verification["csim_equals_emulator"])
    sqnr = verification["sqnr_db"]
    return [
        Record(f"{spec}: every bit equal", exact, "", "true", exact, "simulated"),
        Record(f"{spec}: output SQNR", float(str(sqnr)), "dB", kind="simulated"),
    ]


def accuracy(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """Trained networks: 100 test images through the compiled C++ in both modes; top-1 over all unseen images."""
    records = []
    for network in ("lenet5", "resnet8", "resnet8_fashion"):
        spec = f"{network}_zedboard"
        run = doit(root, build_dir, "build", f"spec={spec}")
        if run.status:
            records.append(Record(spec, run.output[-400:], "", "it builds", False))
            continue
        records += _trained(spec, build_dir)
    return records


def _trained(spec: str, build_dir: Path) -> list[Record]:
    verification = report(build_dir, spec, "verification")
    fidelity = report(build_dir, spec, "fidelity", "realise")
    floats, integers = fidelity["float_accuracy"], fidelity["accuracy"]
    exact = bool(verification["csim_equals_emulator"])
    modes = sorted(verification["modes"])
    dead = verification["degenerate"]
    return [
        Record(f"{spec}: every bit equal", exact, "", "true", exact, "simulated"),
        Record(f"{spec}: modes", ", ".join(modes), "", "ap_int, native", modes == ["ap_int", "native"], "simulated"),
        at_least(f"{spec}: frames", verification["frames"], "", 100, "simulated"),
        Record(f"{spec}: degenerate tensors", ", ".join(dead) or "none", "", "none", not dead, "simulated"),
        at_least(f"{spec}: output SQNR", float(verification["sqnr_db"]), "dB", 55, "simulated"),
        at_least(f"{spec}: unseen images", integers["frames"], "", 1000, "simulated"),
        Record(f"{spec}: top-1", 100 * integers["value"], "%", kind="simulated"),
        at_most(f"{spec}: loss of top-1", 100 * (floats["value"] - integers["value"]), "pp", 0.5, "simulated"),
    ]


def builds(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """Every shipped spec from nothing."""
    records = []
    for path in sorted((root / "specs").glob("*.yaml")):
        run = doit(root, build_dir, "build", f"spec={path.stem}")
        if run.status:
            records.append(Record(path.stem, run.output[-400:], "", "it builds", False))
            continue
        performance = report(build_dir, path.stem)
        ratio, binding = performance["bound_ratio_binding"], performance["binding"]
        records.append(Record(f"{path.stem}: build", run.seconds, "s"))
        records.append(Record(f"{path.stem}: throughput", performance["throughput_fps"], "fps", kind="modelled"))
        records.append(Record(f"{path.stem}: of the bound by {binding}", ratio, "", kind="modelled"))
        records += _verified(path.stem, report(build_dir, path.stem, "verification"))
    return records
