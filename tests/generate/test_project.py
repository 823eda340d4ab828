"""Files of a generated build: complete, repeatable, whole or absent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate import Target, generate
from flow.generate import project as projects
from flow.generate.tcl import KernelLink
from flow.tools.simulation.cycles import built_depths

from .designs import classifier, residual

ZC706 = Target("xc7z045ffg900-2", 125.0, "zynq7000")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_same_input_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        sample = residual(cuts=(1,))
        generate(sample.hardware, sample.realised, ZC706, tmp_path / name)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_files_of_a_build(tmp_path: Path) -> None:
    sample = residual(cuts=(1,))
    generate(sample.hardware, sample.realised, ZC706, tmp_path)
    names = set(tree(tmp_path))
    for i in range(2):
        project = (f"partition_{i}.cpp", f"partition_{i}.hpp", "testbench.cpp", "build.tcl", "convolution.hpp")
        assert {f"hls/p{i}/{name}" for name in project} <= names
        assert {f"vivado/p{i}/build.tcl", f"weights/p{i}.bin"} <= names
    assert {"schedule.json", "host/host.json", "host/run.py", "host/board/runner.py"} <= names
    assert "hls/p0/add.hpp" not in names  # only what is included
    assert not [n for n in names if "unfinished" in n]


def test_depths_in_the_source_are_the_designs(tmp_path: Path) -> None:
    sample = residual(cuts=(1,))
    generate(sample.hardware, sample.realised, ZC706, tmp_path)
    for part in sample.hardware.partitions:
        depths = built_depths(tmp_path / "hls" / f"p{part.index}" / f"partition_{part.index}.cpp")
        assert depths == {s.name: s.depth for s in part.streams} and len(set(depths.values())) > 1


def test_nothing_is_touched_twice(tmp_path: Path) -> None:
    sample = classifier()
    generate(sample.hardware, sample.realised, ZC706, tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    generate(sample.hardware, sample.realised, ZC706, tmp_path)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_smaller_design_leaves_nothing_behind(tmp_path: Path) -> None:
    large, small = residual(cuts=(1, 3)), residual()
    generate(large.hardware, large.realised, ZC706, tmp_path / "a")
    (tmp_path / "a" / "hls" / "p2" / "vendor.log").write_text("not ours")
    (tmp_path / "a" / "hls" / "vendor.json").write_text("not ours")
    (tmp_path / "a" / "host" / "board" / "older.py").write_text("of an older version")
    for i in range(3):
        (tmp_path / "a" / "hls" / f"p{i}" / "data").mkdir()
        (tmp_path / "a" / "hls" / f"p{i}" / "data" / "in_0.bin").write_text("simulate's")
    generate(small.hardware, small.realised, ZC706, tmp_path / "a")
    generate(small.hardware, small.realised, ZC706, tmp_path / "b")
    (tmp_path / "b" / "hls" / "p2").mkdir()
    (tmp_path / "b" / "hls" / "p2" / "vendor.log").write_text("not ours")
    (tmp_path / "b" / "hls" / "vendor.json").write_text("not ours")
    (tmp_path / "b" / "hls" / "p0" / "data").mkdir()
    (tmp_path / "b" / "hls" / "p0" / "data" / "in_0.bin").write_text("simulate's")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_build_that_stops_does_not_look_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = residual(), residual(cuts=(1,))
    generate(first.hardware, first.realised, ZC706, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "p0.bin")

    monkeypatch.setattr(projects, "write_blobs", full)
    with pytest.raises(BuildError, match=r"GEN030.*No space left"):
        generate(second.hardware, second.realised, ZC706, tmp_path)
    assert not (tmp_path / "schedule.json").exists()
    assert not list(tmp_path.rglob("*.unfinished"))


def test_a_users_template_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "own" / "project"
    own.mkdir(parents=True)
    text = '{% extends "convmake/project/hls.tcl.jinja" %}{% block after_synthesis %}puts mine{% endblock %}'
    (own / "hls.tcl.jinja").write_text(text)
    sample = classifier()
    generate(sample.hardware, sample.realised, ZC706, tmp_path / "out", tmp_path / "own")
    assert "puts mine" in (tmp_path / "out" / "hls" / "p0" / "build.tcl").read_text()


def test_a_card_gets_its_link(tmp_path: Path) -> None:
    def link(top: str, arguments: tuple[str, ...]) -> KernelLink:
        return KernelLink(top, "platform", 250.0, arguments, ("DDR[0]",) * len(arguments))

    sample = classifier()
    generate(sample.hardware, sample.realised, replace(ZC706, family="", flow_target="vitis", link=link), tmp_path)
    text = (tmp_path / "vivado" / "p0" / "link.cfg").read_text()
    assert all(name in text for name in ("partition_0", "in_0", "out_0", "weights"))


def test_a_broken_template_stops_at_the_lint(tmp_path: Path) -> None:
    own = tmp_path / "own" / "project"
    own.mkdir(parents=True)
    shipped = (projects.TEMPLATES / "project" / "partition.cpp.jinja").read_text()
    (own / "partition.cpp.jinja").write_text(shipped.replace("#pragma HLS DATAFLOW", ""))
    sample = classifier()
    with pytest.raises(BuildError, match="GEN041"):
        generate(sample.hardware, sample.realised, ZC706, tmp_path / "out", tmp_path / "own")
    assert not (tmp_path / "out").exists()
