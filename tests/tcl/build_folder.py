"""Runs every Tcl file of a build folder against the stubs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .interpreter import Vendor, run_vitis_hls, run_vivado


def check_build(build: Path, copy: Path, part: str, board: str = "") -> dict[str, tuple[str, ...]]:
    """Script → problems, for `hls/p<i>/build.tcl` and `vivado/p<i>/build.tcl`, run in a copy of the folder.

    What the partition's interfaces are is read from its C++, not from what wrote the script. Files that `simulate`
    leaves for the test bench are made up where they are missing.
    """
    vendor = Vendor(parts=(part,), boards=((board, part),) if board else ())
    for name in ("hls", "vivado", "weights"):
        if (build / name).is_dir():
            shutil.copytree(build / name, copy / name)
    found = {}
    for script in sorted(copy.glob("*/p*/build.tcl")):
        index = script.parent.name[1:]
        top, folder = f"partition_{index}", copy / "hls" / f"p{index}"
        vlnv = f"convmake:hls:{top}:1.0"
        if script.parts[-3] == "hls":
            _make_up_data(script)
            outcome = run_vitis_hls(script, top, vlnv, vendor)
        else:
            outcome = run_vivado(script, top, vlnv, _bundles(folder / f"{top}.cpp"), vendor)
        found[str(script.relative_to(copy))] = outcome.problems
    return found


def _bundles(source: Path) -> tuple[str, ...]:
    found = re.findall(r"^#pragma HLS INTERFACE m_axi .*\bbundle=(\w+)", source.read_text(), re.MULTILINE)
    return tuple(dict.fromkeys(found))


def _make_up_data(script: Path) -> None:
    for name in re.findall(r"^add_files -tb (\S+\.(?:bin|txt))", script.read_text(), re.MULTILINE):
        path = script.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
