"""What goes wrong is found, named, and leaves no record behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate import Target, generate, schedule
from flow.generate.blobs import plan as plan_loads
from flow.tools import gpp
from flow.tools.gpp import compile_bench, run_bench
from flow.tools.simulation import simulate
from flow.tools.simulation.bench import invocations
from flow.tools.simulation.compare import check_image
from tests.generate.designs import Sample, classifier, reloaded

ZC706 = Target("xc7z045ffg900-2", 125.0, "zynq7000")
NATIVE = ("native",)


def generated(made: Sample, out: Path) -> None:
    generate(made.hardware, made.realised, ZC706, out)
    (out / "report").mkdir()
    (out / "report" / "verification.json").write_text("of an earlier build")


def refused(made: Sample, out: Path, code: str) -> str:
    with pytest.raises(BuildError, match=code) as error:
        simulate(out, made.hardware, made.realised, made.frames(1), modes=NATIVE)
    assert not (out / "report" / "verification.json").exists()
    assert not list(out.glob("simulate-*"))
    return error.value.problems[0].message


def test_one_wrong_weight(tmp_path: Path) -> None:
    made = classifier()
    generated(made, tmp_path)
    weights = tmp_path / "weights" / "p0.bin"
    data = bytearray(weights.read_bytes())
    data[8] ^= 0x40
    weights.write_bytes(data)
    message = refused(made, tmp_path, "SIM001")
    assert "partition 0 (native): 'g' differs" in message and "frame 0, channel" in message


def test_wrong_number_of_weights(tmp_path: Path) -> None:
    made = classifier()
    generated(made, tmp_path)
    weights = tmp_path / "weights" / "p0.bin"
    data = bytearray(weights.read_bytes())
    data[0] -= 1
    weights.write_bytes(data)
    assert "weights blob" in refused(made, tmp_path, "TOOL003")


def test_truncated_weights(tmp_path: Path) -> None:
    made = classifier()
    generated(made, tmp_path)
    weights = tmp_path / "weights" / "p0.bin"
    weights.write_bytes(weights.read_bytes()[:100])
    assert "too short" in refused(made, tmp_path, "TOOL003")


def test_foreign_schedule(tmp_path: Path) -> None:
    generated(classifier(), tmp_path)
    refused(classifier(batch=3), tmp_path, "SIM004")
    (tmp_path / "schedule.json").unlink()
    refused(classifier(), tmp_path, "SIM004")


def test_source_that_does_not_compile(tmp_path: Path) -> None:
    made = classifier()
    generated(made, tmp_path)
    (tmp_path / "hls" / "p0" / "pool.hpp").write_text("#error broken header\n")
    assert "broken header" in refused(made, tmp_path, "TOOL002")


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = classifier()
    generated(made, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "g++" in refused(made, tmp_path, "TOOL001")


def test_program_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bench"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(gpp, "_RUN_S", 0.2)
    with pytest.raises(BuildError, match=r"TOOL003.*more than"):
        run_bench(gpp.Program(program, "native"), (), tmp_path)


def test_lanes_beyond_the_last_channel(tmp_path: Path) -> None:
    made = classifier()
    layout = schedule(made.hardware, made.realised).buffer("x").layout
    values = made.frames(1)["x"]
    image = layout.pack(values)
    assert check_image(image.tobytes(), layout, values, "x", "here") == ()
    image[0, 0, 3] = 1
    assert [p.code for p in check_image(image.tobytes(), layout, values, "x", "here")] == ["SIM002"]
    assert [p.code for p in check_image(image.tobytes()[:-8], layout, values, "x", "here")] == ["SIM001"]


def test_later_batches_and_expected_images(tmp_path: Path) -> None:
    """A second batch runs on the steady state's loads, in one program; the test bench itself compares with images."""
    made = reloaded()
    generate(made.hardware, made.realised, ZC706, tmp_path)
    simulate(tmp_path, made.hardware, made.realised, made.frames(1), modes=NATIVE)
    project = tmp_path / "hls" / "p0"
    program = compile_bench(project, "native", tmp_path / "work")
    plan = schedule(made.hardware, made.realised, 1)
    steps = tuple(s for s in plan.steps + plan.steady_state if s.action == "run")
    assert len(steps) == 6
    arguments = ["trips.txt", project / "data" / "in_0.bin", "out.bin", tmp_path / "weights" / "p0.bin"]
    arguments.append(project / "data" / "expected_out_0.bin")
    (tmp_path / "work" / "twice.txt").write_text(invocations(steps))
    run_bench(program, ["twice.txt", *arguments], tmp_path / "work")
    # Without its reload, tile 0 of the second batch would compute with the last pass' filters.
    keep = plan_loads(made.hardware.partitions[0], True)[-1]
    assert keep.load == "none"
    stale = tuple(replace(s, blob=keep) if i == 3 else s for i, s in enumerate(steps))
    (tmp_path / "work" / "stale.txt").write_text(invocations(stale))
    with pytest.raises(BuildError, match=r"TOOL003.*port words differ"):
        run_bench(program, ["stale.txt", *arguments], tmp_path / "work")
