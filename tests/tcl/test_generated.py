"""What the generate stage writes for whole designs runs to its end: several partitions, reloading, bare FPGA, card."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.generate.project import Target, generate
from tests.generate.designs import Sample, concatenation, reloaded, residual

from .build_folder import check_build

ZC706, VC709, U250 = "xc7z045ffg900-2", "xc7vx690tffg1761-2", "xcu250-figd2104-2L-e"
BOARD = "xilinx.com:zc706:part0:1.4"


@pytest.mark.parametrize(
    ("sample", "target"),
    [
        (residual((2,)), Target(ZC706, 125.0, "zynq7000", BOARD)),
        (reloaded(), Target(ZC706, 100.0, "zynq7000", memory_ports=2)),
        (concatenation(), Target(VC709, 200.0)),
    ],
    ids=["partitions", "reloading", "bare"],
)
def test_generated_scripts_run_to_their_end(sample: Sample, target: Target, tmp_path: Path) -> None:
    generate(sample.hardware, sample.realised, target, tmp_path / "build")
    found = check_build(tmp_path / "build", tmp_path / "copy", target.part, target.board_part)
    assert len(found) == 2 * len(sample.hardware.partitions)
    assert not any(found.values()), found
