"""`doit board`: images through the host program on the virtual board."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_run_on_the_virtual_board(project: Path, run: Callable[..., Any]) -> None:
    """Several batches; with nothing changed nothing runs; more frames run again without compiling again."""
    first = run(project, "board", "spec=tiny_zed", "frames=6")
    assert first.status == 0, first.output
    assert "6 frames through 1 partition in 2 passes" in first.output and "say nothing of hardware" in first.output
    found = json.loads((project / "build/tiny_zed/report/board.json").read_text())
    assert found["kind"] == "simulated" and len(found["labels"]) == found["frames"] == 6
    bitstream = project / "build/tiny_zed/virtual/p0/partition_0.bit"
    before = bitstream.stat().st_mtime_ns
    assert "6 frames" not in run(project, "board", "spec=tiny_zed", "frames=6").output
    assert "7 frames" in run(project, "board", "spec=tiny_zed", "frames=7").output
    assert bitstream.stat().st_mtime_ns == before


def test_wrong_words_are_refused(project: Path, run: Callable[..., Any]) -> None:
    outcome = run(project, "board", "spec=tiny_zed", "frames=many")
    assert outcome.status == 2 and "CLI015" in outcome.output


def test_a_result_that_differs_is_an_error(project: Path, run: Callable[..., Any]) -> None:
    """A partition that computes something else is not called equal."""
    source = project / "ip_templates/project/device.cpp.jinja"
    text = source.read_text()
    assert "    running = false;" in text
    source.write_text(
        text.replace(
            "    running = false;",
            "    *reinterpret_cast<char *>(pointer(REGISTER_out_0)) ^= 1;\n    running = false;",
            1,
        )
    )
    outcome = run(project, "board", "spec=tiny_zed", "frames=2")
    assert outcome.status != 0 and "BOARD002" in outcome.output
    assert not (project / "build/tiny_zed/report/board.json").exists()
