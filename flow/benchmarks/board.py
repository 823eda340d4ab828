"""Whole schedules on the virtual board: generated host program, emulated registers and memory, compiled partitions."""

from __future__ import annotations

from pathlib import Path

from flow.benchmarks.doit import doit, report
from flow.benchmarks.record import Record

CASES = (("lenet5_zedboard", 256), ("resnet8_zedboard", 256), ("vgg16_zc706", 4))
"""Spec and frames: LeNet and the small ResNet with the test set's images, VGG16 in all of its partitions and passes."""


def board(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """Frames in, labels out; every output equal to the emulator's, or the run fails."""
    return [record for spec, frames in CASES for record in _case(root, build_dir, spec, frames)]


def _case(root: Path, build_dir: Path, spec: str, frames: int) -> list[Record]:
    run = doit(root, build_dir, "board", f"spec={spec}", f"frames={frames}")
    if run.status:
        return [Record(f"{spec}: virtual board", run.output[-400:], "", "equal to the emulator", False, "simulated")]
    found = report(build_dir, spec, "board")
    enough = found["frames"] == len(found["labels"]) == frames and found["equals_emulator"]
    right = found["correct_labels"]
    records = [
        Record(f"{spec}: frames equal to the emulator", found["frames"], "", f"{frames}", enough, "simulated"),
        Record(f"{spec}: partitions", found["partitions"], "", kind="simulated"),
        Record(f"{spec}: configurations", found["configurations"], "", kind="simulated"),
        Record(f"{spec}: passes", found["passes"], "", kind="simulated"),
        Record(f"{spec}: the whole command, compilation included", run.seconds, "s"),
    ]
    if right is not None:
        records.append(Record(f"{spec}: labels right", 100 * right / frames, "%", kind="simulated"))
    return records
