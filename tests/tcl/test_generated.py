"""What the generate stage writes for whole designs runs to its end: several partitions, reloading, bare FPGA, card."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.generate.project import Target, generate
from flow.generate.target import device_target
from flow.spec import read_devices
from tests.generate.designs import Sample, classifier, concatenation, reloaded, residual

from .build_folder import check_build

ROOT = Path(__file__).parents[2]
DEVICES = {device.name: device for device in read_devices(ROOT)}
ZC706, VC709 = "xc7z045ffg900-2", "xc7vx690tffg1761-2"
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


def test_every_kind_of_host_is_among_the_devices() -> None:
    assert {device.host for device in DEVICES.values()} == {"pynq", "linux", "xrt", "none"}


@pytest.mark.parametrize("name", DEVICES)
def test_scripts_for_every_device_run_to_their_end(name: str, tmp_path: Path) -> None:
    """A card's kernel goes to the linker, which no script of ours runs; everything else to Vivado."""
    device, sample = DEVICES[name], classifier(port_bits=DEVICES[name].memories[0].port_bits)
    generate(sample.hardware, sample.realised, device_target(device, 150.0), tmp_path / "build")
    found = check_build(tmp_path / "build", tmp_path / "copy", device.part, device.board)
    assert set(found) == {"hls/p0/build.tcl"} | ({"vivado/p0/build.tcl"} if device.host != "xrt" else set())
    assert not any(found.values()), found
    assert (tmp_path / "build/vivado/p0/link.cfg").is_file() == (device.host == "xrt")
