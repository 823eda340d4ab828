"""A build that changes: partitions that stay as they were are neither written nor synthesised again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flow.generate import Target, generate
from flow.ir import Folding
from flow.model.lowering import lower
from flow.tools.synthesis import synthesise_all
from tests.generate.designs import Sample, residual

from .test_resume import ALL, calls, silent
from .test_vendor import PART, install, path

__all__ = ["path"]

TARGET = Target(PART, 125.0, "zynq7000")


def written(out: Path) -> dict[str, int]:
    """Times of all that is generated, but not of what tools leave."""
    kept = (p for p in out.rglob("*") if p.suffix in (".cpp", ".hpp", ".tcl", ".bin"))
    return {p.relative_to(out).as_posix(): p.stat().st_mtime_ns for p in kept if "project" not in p.parts}


def refolded(sample: Sample) -> Sample:
    """The second partition's last layer with fewer lanes."""
    design = sample.hardware.design
    first, second = design.partitions
    changed = replace(second, foldings=dict(second.foldings) | {"g": Folding(2, 1)})
    made = lower(sample.graph, replace(design, partitions=(first, changed)), sample.realised.numbers, 64)
    return replace(sample, hardware=made)


def retrained(sample: Sample) -> Sample:
    """Other weights of the same formats in both partitions."""
    integers = {name: values // 2 for name, values in sample.realised.integers.items()}
    return replace(sample, realised=replace(sample.realised, integers=integers))


def test_only_the_partition_that_changed(path: Path, tmp_path: Path) -> None:
    install(path, "vitis_hls", "vivado")
    sample, out = residual(cuts=(3,)), tmp_path / "build"
    generate(sample.hardware, sample.realised, TARGET, out)
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ALL
    before = written(out)
    other = refolded(sample)
    generate(other.hardware, other.realised, TARGET, out)
    after = written(out)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed and all("p1" in name for name in changed)
    assert "hls/p1/conv.hpp" not in changed
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vitis_hls p1", "vivado p1"]


def test_batch_and_weights_are_no_part_of_hardware(path: Path, tmp_path: Path) -> None:
    install(path, "vitis_hls", "vivado")
    sample, out = residual(cuts=(3,)), tmp_path / "build"
    generate(sample.hardware, sample.realised, TARGET, out)
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ALL
    before = written(out)
    for other in (residual(cuts=(3,), batch=7), retrained(sample)):
        generate(other.hardware, other.realised, TARGET, out)
        synthesise_all(out, 1, silent)
        assert calls(tmp_path) == []
    assert {name for name, at in written(out).items() if at != before[name]} == {"weights/p0.bin", "weights/p1.bin"}


def test_what_tools_made_of_a_larger_design_is_left_alone(path: Path, tmp_path: Path) -> None:
    """Fewer partitions, then as many as before: nothing runs twice."""
    install(path, "vitis_hls", "vivado")
    large, small, out = residual(cuts=(1, 3)), residual(cuts=(1,)), tmp_path / "build"
    generate(large.hardware, large.realised, TARGET, out)
    synthesise_all(out, 1, silent)
    assert len(calls(tmp_path)) == 6
    generate(small.hardware, small.realised, TARGET, out)
    assert [p["partition"] for p in synthesise_all(out, 1, silent)] == [0, 1]
    assert calls(tmp_path) == ["vitis_hls p1", "vivado p1"]
    generate(large.hardware, large.realised, TARGET, out)
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vitis_hls p1", "vivado p1"], "the third is still there, the second was another"
