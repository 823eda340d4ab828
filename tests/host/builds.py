"""Small builds whose partitions are compiled as devices of the virtual board."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flow.generate import Target, generate
from flow.generate.host import HostSide
from flow.numerics import emulate, seeded_frames
from flow.tools.virtual import make_device
from ip_templates.host.board.plan import Plan, read_plan
from ip_templates.host.board.runner import Result, Runner
from ip_templates.host.board.virtual import VirtualBoard
from tests.generate.designs import Sample

ZC706 = Target("xc7z045ffg900-2", 125.0, "zynq7000")


@dataclass(frozen=True)
class Made:
    """A build on disk with what it was made from."""

    out: Path
    sample: Sample

    @property
    def plan(self) -> Plan:
        return read_plan(self.out)

    def frames(self, count: int) -> dict[str, np.ndarray]:
        """Normalised frames, floats."""
        return {name: seeded_frames(shape, count, 7, "test") for name, shape in self.sample.graph.inputs}

    def integers(self, count: int) -> dict[str, np.ndarray]:
        return self.sample.realised.quantise_frames(self.frames(count))

    def wanted(self, count: int) -> dict[str, np.ndarray]:
        return emulate(self.sample.realised, self.integers(count))

    def copy(self, folder: Path) -> Made:
        return replace(self, out=Path(shutil.copytree(self.out, folder)))


def made(sample: Sample, out: Path, host: HostSide | None = None, first: int = 0x10) -> Made:
    generate(sample.hardware, sample.realised, replace(ZC706, host=host or HostSide()), out)
    for partition in sample.hardware.partitions:
        make_device(out, partition.index, first)
    return Made(out, sample)


def run(build: Made, board: VirtualBoard, count: int = 3, **options: float) -> Result:
    """Frames through the schedule; the board is closed."""
    try:
        return Runner(build.plan, board, **options).run(build.integers(count))
    finally:
        board.close()


def equal(build: Made, result: Result, count: int = 3) -> bool:
    wanted = build.wanted(count)
    return all(np.array_equal(result.integers[name], wanted[name]) for name in wanted)
