"""How far the models are from what they model: a part of the group for each kind of truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flow.benchmarks.agreement import minimal_joins, random_designs, resnet50_sizing, shipped_builds
from flow.benchmarks.record import Record

if TYPE_CHECKING:
    from flow.model.handmade.evaluate import Evaluation


def fidelity(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """Every part, one after the other."""
    return [
        *random_designs(root),
        *shipped_builds(root, build_dir),
        *minimal_joins(root, build_dir),
        *resnet50_sizing(root, build_dir),
        *measured_boards(root),
    ]


def measured_boards(root: Path) -> list[Record]:
    """fpgaConvNet's designs that were measured on boards: modelled, simulated, measured."""
    from flow.model.handmade.calibrate import fit
    from flow.model.handmade.evaluate import evaluate
    from flow.model.handmade.read import read_design
    from flow.spec import read_devices

    devices = read_devices(root)
    paths = sorted((root / "tests" / "data" / "measured").glob("*.yaml"))
    found = [evaluate(read_design(path, path.name), devices) for path in paths]
    records = [record for item in found for record in _board(item)]
    for resource in ("lut", "ff"):
        worst = max(abs(error) for error in fit([item.design for item in found], resource).errors)
        what = f"{resource}: worst error of a design left out of the fit"
        records.append(Record(what, 100 * worst, "%", "<= 30", 100 * worst <= 30, "modelled"))
    return records


def _board(found: Evaluation) -> list[Record]:
    name, ran = found.design.name, found.simulation
    measured = found.design.measured.cycles(found.design.clock_mhz) or 0.0
    bare, error = (100 * (cycles / measured - 1.0) for cycles in (ran.latency_cycles, found.inference_cycles))
    records = [
        Record(f"{name}: interval, closed form", found.interval_cycles, "cycles", kind="modelled"),
        Record(
            f"{name}: interval",
            ran.interval_cycles,
            "cycles",
            "<= measured inference",
            ran.interval_cycles <= measured,
            "simulated",
        ),
        Record(f"{name}: a frame", ran.latency_cycles, "cycles", kind="simulated"),
        Record(f"{name}: inference, host included", round(found.inference_cycles), "cycles", kind="modelled"),
        Record(f"{name}: inference on the board", measured, "cycles", kind="measured"),
        Record(f"{name}: error of a frame, nothing fitted", bare, "%", "within 20", abs(bare) <= 20, "simulated"),
        Record(f"{name}: error of the inference", error, "%", "within 10", abs(error) <= 10, "modelled"),
    ]
    for ours, theirs, most in (("dsp", "dsp", 9.0), ("bram18", "bram", 20.0), ("lut", "lut", 30.0)):
        published = [value for value, _ in found.design.measured.resources[theirs]]
        # Where two published figures contradict each other, the nearer one counts; docs/measured.md names both.
        errors = [100 * (found.resources[ours] / value - 1.0) for value in published]
        nearest = min(errors, key=abs)
        what = f"{name}: error of {ours}" + " (two published figures)" * (len(published) > 1)
        records.append(Record(what, nearest, "%", f"within {most:g}", abs(nearest) <= most, "modelled"))
    return records + _depths(found)


def _depths(found: Evaluation) -> list[Record]:
    """Smallest FIFO depths of the joins beside the published ones."""
    from flow.model.handmade.fifos import minimal_depth, skip_inputs

    records = []
    for join, index in skip_inputs(found.design):
        stated = found.design.by_name()[join].inputs[index].depth
        smallest = minimal_depth(found.design, join, index)
        what = f"{found.design.name}: smallest FIFO depth at {join}"
        records.append(Record(what, smallest, "words", f"published: {stated}", None, "simulated"))
    return records
