"""Round trip: reports made from known coefficients give them back; what is no report is an error with a hint."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.model.calibration import read_calibration
from flow.model.datasheet import load_catalogue
from flow.model.hardware import Partition
from flow.tasks.calibrate import calibrate_reports
from flow.tasks.project import Project
from flow.tools.calibration.calibrate import Calibrated, calibrate
from flow.tools.calibration.text import calibration_yaml, table
from tests.calibrate import builds
from tests.calibrate.vendor import Figures, csynth
from tests.generate import designs

TRUTH = builds.truth(11)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty small builds, every fourth one implemented."""
    root, r = tmp_path_factory.mktemp("reports"), random.Random(4)
    for k in range(20):
        write = builds.synthesised if k % 4 else builds.implemented
        write(root / f"build{k}", builds.random_partition(r), TRUTH)
    builds.synthesised(root / "classes", designs.classifier().hardware.partitions[0], TRUTH)
    return root


@pytest.fixture(scope="module")
def done(folder: Path) -> Calibrated:
    return calibrate(folder, "reports", builds.TEMPLATES)


def test_known_coefficients_come_back(done: Calibrated) -> None:
    told = done.fits["convolution", "lut"].terms
    for name in ("module", "multiplier", "operand_bit", "lutram_bit"):
        assert told[name].value == pytest.approx(TRUTH["convolution", "lut"][name], rel=0.03), name
    told = done.fits["fifo", "lut"].terms
    for name in ("shift_register", "shift_register_bit"):
        assert told[name].value == pytest.approx(TRUTH["fifo", "lut"][name], rel=0.03), name
    assert done.fits["convolution", "lut"].samples == 41


def test_the_file_predicts_every_report_that_it_was_fitted_to(done: Calibrated, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(calibration_yaml(done))
    catalogue = load_catalogue(builds.TEMPLATES, "DSP48E1", read_calibration(path, "own.yaml"))
    estimated = builds.CATALOGUE
    off, before = [], []
    for sample in done.reports.samples:
        if sample.instance.ip == "convolution":
            modelled = catalogue.evaluate("convolution", sample.instance.parameters)
            off.append(abs(modelled["lut"] / sample.usage.lut - 1))
            before.append(estimated.evaluate("convolution", sample.instance.parameters)["lut"] / sample.usage.lut - 1)
    assert max(off) < 0.01
    assert max(map(abs, before)) > 0.05
    assert catalogue.error("convolution", "lut") < 0.01
    assert catalogue.error("global_pool", "lut") == 0.4  # no report has one


def test_the_implementation_counts_where_there_is_one(done: Calibrated) -> None:
    """HLS's report of the same build says twice as much."""
    where = {s.where for s in done.reports.samples if s.build == "build0"}
    assert where == {"implementation"}
    assert "implementation" in table(done) and "fifo" in table(done)


def test_what_reports_cannot_tell_is_said_in_the_file(tmp_path: Path) -> None:
    builds.synthesised(tmp_path / "one", designs.one_convolution().hardware.partitions[0], TRUTH)
    done = calibrate(tmp_path, "reports", builds.TEMPLATES)
    text = calibration_yaml(done)
    assert "no report tells them apart" in text and "nothing is left to check it with" in text
    assert "not told apart" in table(done)
    told = done.fits["convolution", "lut"].terms
    assert told["multiplier"].value / told["module"].value == pytest.approx(60 / 600)


def test_memories_and_products_that_differ_are_named(tmp_path: Path) -> None:
    part = designs.one_convolution().hardware.partitions[0]
    wrong = next(m for m in part.modules if m.ip == "convolution")
    right = builds.figures(wrong, TRUTH)
    changed = {wrong.name: Figures(right.lut, right.ff, right.dsp + 1, right.bram18, right.uram, interval=2)}
    builds.synthesised(tmp_path / "one", part, TRUTH, **changed)
    done = calibrate(tmp_path, "reports", builds.TEMPLATES)
    assert [d for d in done.different if "dsp" in d] == [
        f"one {wrong.name}: dsp {right.dsp + 1} reported, {right.dsp} in the data sheet"
    ]
    assert done.exact["dsp"] == (len(part.modules) - 1, len(part.modules))
    assert done.initiation == (len(part.modules) - 1, len(part.modules))


def test_the_same_reports_give_the_same_bytes(folder: Path, done: Calibrated) -> None:
    assert calibration_yaml(calibrate(folder, "reports", builds.TEMPLATES)) == calibration_yaml(done)
    assert str(folder) not in calibration_yaml(done)


def without_reports(root: Path, part: Partition) -> None:
    builds.write_build(root, part, {})


def another_builds_report(root: Path, part: Partition) -> None:
    builds.write_build(root, part, {builds.CSYNTH: csynth({"dense_config7_s": Figures(10, 10)})})


def with_report(text: str, place: str = builds.CSYNTH) -> Callable[[Path, Partition], None]:
    return lambda root, part: builds.write_build(root, part, {place: text})


def other_templates(root: Path, part: Partition) -> None:
    builds.synthesised(root, part, TRUTH)
    source = root / "hls/p0/partition_0.cpp"
    source.write_text(source.read_text().replace("static const int weights_memory", "static const int memory"))


def empty_source(root: Path, part: Partition) -> None:
    builds.synthesised(root, part, TRUTH)
    (root / "hls/p0/partition_0.cpp").write_text("int main() {}\n")


BOMB = '<!DOCTYPE p [<!ENTITY a "ha">]><profile>&a;</profile>'
BROKEN: dict[str, tuple[Callable[[Path, Partition], None], str]] = {
    "nothing": (lambda root, part: None, r"CAL001\]: there is no build in"),
    "source": (empty_source, r"CAL001\]: no module is declared"),
    "no report": (without_reports, r"CAL002\]: there is no vendor report in"),
    "another": (another_builds_report, r"CAL003\]: no report in"),
    "templates": (other_templates, r"CAL004\]: .* it has no parameter 'weights_memory'"),
    "cut off": (with_report("<profile><UserAss"), r"csynth.xml: error\[TOOL004\]: no synthesis report"),
    "bomb": (with_report(BOMB), r"TOOL004\]: no synthesis report: it declares a document type"),
    "html": (with_report("<html/>"), r"TOOL004\]: no synthesis report: its root is <html>"),
    "table": (
        with_report("| LUTs |", builds.HIERARCHY),
        r"TOOL004\]: no hierarchical .* it lacks lut",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_used_is_an_error_with_a_code(name: str, tmp_path: Path) -> None:
    make, message = BROKEN[name]
    reports = tmp_path / "mine"
    reports.mkdir()
    make(reports, designs.one_convolution().hardware.partitions[0])
    out = tmp_path / "own.yaml"
    out.write_text("as before")
    words = {"reports": "mine", "out": "own.yaml"}
    with pytest.raises(BuildError) as caught:
        calibrate_reports(Project(builds.ROOT, tmp_path / "build"), words, tmp_path)
    said = render_all(caught.value.problems)
    assert re.search(message, said), said
    assert out.read_text() == "as before"


def test_words_that_are_missing_or_wrong(tmp_path: Path) -> None:
    project = Project(builds.ROOT, tmp_path / "build")
    with pytest.raises(BuildError, match="CLI007"):
        calibrate_reports(project, {}, tmp_path)
    with pytest.raises(BuildError, match="CLI005"):
        calibrate_reports(project, {"reports": "missing"}, tmp_path)
    builds.synthesised(tmp_path / "mine", designs.one_convolution().hardware.partitions[0], TRUTH)
    with pytest.raises(BuildError, match="CLI013"):
        calibrate_reports(project, {"reports": "mine", "out": "."}, tmp_path)
    said = calibrate_reports(project, {"reports": "mine"}, tmp_path)
    assert (tmp_path / "build/calibration.yaml").is_file() and "calibration: {file:" in said


def test_the_example_of_the_readme_is_of_these_templates(tmp_path: Path) -> None:
    """`python -m tests.calibrate.builds` writes it again."""
    builds.example(tmp_path)
    written = {p.relative_to(tmp_path): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    shipped = builds.ROOT / "tests/data/reports"
    assert written == {p.relative_to(shipped): p.read_text() for p in shipped.rglob("*") if p.is_file()}
