"""Builds with reports whose figures follow from coefficients that the test knows.

`python -m tests.calibrate.builds` writes tests/data/reports again, when the templates' parameters have changed.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from pathlib import Path

from flow.model.calibration import FITTED, read_calibration
from flow.model.datasheet import load_catalogue, read_sheets
from flow.model.hardware import Module, Partition
from flow.model.resources import FIFO, fifo_counts
from tests.calibrate.vendor import Figures, csynth, hierarchy, source
from tests.generate import designs
from tests.generate.designs import Folding, conv, one, pool, sample

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "ip_templates"
PART = "xc7z020clg484-1"
SHEETS = read_sheets(TEMPLATES)
CATALOGUE = load_catalogue(TEMPLATES, "DSP48E1")
Truth = Mapping[tuple[str, str], Mapping[str, float]]


def truth(seed: int) -> Truth:
    """Coefficients that are up to 40 % off the estimates."""
    r = random.Random(seed)
    prior = read_calibration(TEMPLATES / "calibration.yaml", "calibration.yaml")
    return {
        key: {name: c.value * r.uniform(0.6, 1.4) for name, c in cost.terms.items()}
        for key, cost in prior.costs.items()
    }


def random_partition(r: random.Random) -> Partition:
    """Two convolutions and a pool with foldings, widths and sizes of all kinds."""
    first, second = r.randint(4, 24), r.randint(4, 90)
    kernel = r.choice((1, 3, 3, 5))
    layers: list[designs.Layer] = [
        ("a", conv(first, kernel, pad=kernel // 2, activation="relu"), ("x",), _folding(r, 3, first, kernel)),
        ("b", conv(second, 3, pad=1), ("a",), _folding(r, first, second, 3)),
        ("p", pool("max", 2, 2), ("b",), one(r.randint(1, 4))),
    ]
    size = r.choice((6, 9, 40))
    made = sample(layers, (3, size, r.choice((8, 30))), bits=r.choice((4, 8, 12, 16)))
    return made.hardware.partitions[0]


def _folding(r: random.Random, channels: int, filters: int, kernel: int) -> Folding:
    return Folding(r.randint(1, min(channels, 4)), r.randint(1, min(filters, 6)), 1, r.randint(1, kernel * kernel))


def figures(module: Module, coefficients: Truth) -> Figures:
    """LUTs and FFs by the coefficients, the rest by the data sheet."""
    exact = CATALOGUE.evaluate(module.ip, module.parameters)
    fitted = {}
    for resource in FITTED:
        units = SHEETS[module.ip].counts(module.parameters, resource, "DSP48E1")
        fitted[resource] = round(sum(coefficients[module.ip, resource][n] * c for n, c in units.items()))
    return Figures(**fitted, dsp=int(exact["dsp"]), bram18=int(exact["bram18"]), uram=int(exact["uram"]))


def rtl_name(module: Module) -> str:
    return f"{module.ip}_{module.name}_config_s"


def write_build(folder: Path, partition: Partition, reports: Mapping[str, str]) -> None:
    """The source as generated, its script's part, and reports at their places."""
    project = folder / "hls" / "p0"
    project.mkdir(parents=True)
    (project / "partition_0.cpp").write_text(source(partition))
    (project / "build.tcl").write_text(f"set part {{{PART}}}\n")
    for place, text in reports.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CSYNTH = "hls/p0/project/solution/syn/report/csynth.xml"
HIERARCHY = "vivado/p0/reports/utilization_hierarchical.rpt"


def synthesised(folder: Path, partition: Partition, coefficients: Truth, **changed: Figures) -> None:
    """A build with HLS's report; `changed` by module name."""
    modules = {rtl_name(m): changed.get(m.name) or figures(m, coefficients) for m in partition.modules}
    write_build(folder, partition, {CSYNTH: csynth(modules)})


def implemented(folder: Path, partition: Partition, coefficients: Truth) -> None:
    """A build with both reports; HLS expects twice what Vivado then counts."""
    modules = {rtl_name(m): figures(m, coefficients) for m in partition.modules}
    doubled = {n: Figures(2 * f.lut, 2 * f.ff, f.dsp, f.bram18, f.uram) for n, f in modules.items()}
    cells = [("design_wrapper", "(top)", 0, Figures(1, 1)), ("(design_wrapper)", "(top)", 1, Figures(1, 1))]
    cells += [("partition_0", "design_partition_0_0", 1, Figures(1, 1))]
    for name, f in modules.items():
        cells.append((f"{name.removesuffix('_s')}_U0", f"design_partition_0_0_{name}", 2, f))
        cells.append((f"grp_{name}_Pipeline_steps_fu_90", f"design_{name}_Pipeline_steps", 3, Figures(1, 1)))
    for stream in partition.streams:
        width = stream.lanes * stream.bits
        units = fifo_counts(stream.depth, width)
        used = {r: round(sum(coefficients[FIFO, r][n] * c for n, c in units[r].items())) for r in FITTED}
        blocks = int(CATALOGUE.fifo_cost(stream.depth, width)["bram18"])
        cells.append((f"{stream.name}_U", f"fifo_w{width}_d{stream.depth}_S", 2, Figures(**used, bram18=blocks)))
    write_build(folder, partition, {CSYNTH: csynth(doubled), HIERARCHY: hierarchy(cells)})


def example(folder: Path) -> None:
    """Two small builds for the README: figures are arithmetic, no tool made them."""
    synthesised(folder / "classifier", designs.classifier().hardware.partitions[0], truth(11))
    implemented(folder / "residual", designs.residual().hardware.partitions[0], truth(11))


if __name__ == "__main__":
    place = ROOT / "tests" / "data" / "reports"
    shutil.rmtree(place, ignore_errors=True)
    example(place)
