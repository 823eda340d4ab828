"""Contexts that stand for what the flow generates, laid out on disk as the flow lays them out."""

from __future__ import annotations

from pathlib import Path

from flow.generate.tcl import HlsProject, VivadoProject, hls_script, vivado_script

from .interpreter import Outcome, Vendor, run_vitis_hls, run_vivado

ZC706, ZCU102, VC709, U250 = "xc7z045ffg900-2", "xczu9eg-ffvb1156-2-e", "xc7vx690tffg1761-2", "xcu250-figd2104-2L-e"
BOARDS = (("xilinx.com:zc706:part0:1.4", ZC706), ("xilinx.com:zcu102:part0:3.4", ZCU102))
VENDOR = Vendor(parts=(ZC706, ZCU102, VC709, U250), boards=BOARDS)

THREE = ("gmem_in_0", "gmem_out_0", "gmem_weights")
SEVEN = ("gmem_in_0", "gmem_in_1", "gmem_in_2", "gmem_out_0", "gmem_out_1", "gmem_out_2", "gmem_weights")

VIVADO = {
    "zynq7000_board": VivadoProject("partition_0", ZC706, 125.0, THREE, "zynq7000", BOARDS[0][0], identity="0123abcd"),
    "zynq7000_part": VivadoProject("partition_1", ZC706, 142.857143, ("gmem_in_0", "gmem_out_0"), "zynq7000"),
    "zynq7000_shared": VivadoProject("partition_12", ZC706, 100.0, SEVEN, "zynq7000", BOARDS[0][0]),
    "zynquplus_board": VivadoProject("partition_0", ZCU102, 200.0, THREE, "zynquplus", BOARDS[1][0]),
    "zynquplus_shared": VivadoProject("partition_0", ZCU102, 200.0, SEVEN, "zynquplus", memory_ports=2),
    "bare": VivadoProject("partition_0", VC709, 200.0, THREE),
}

FILES = {"sources": ("partition_0.cpp",), "testbench": ("testbench.cpp", "weights.bin")}
HLS = {
    "vivado": HlsProject("partition_0", ZC706, 8.0, **FILES),
    "vitis": HlsProject("partition_0", U250, 1000 / 300, **FILES, flow_target="vitis"),
    "arguments": HlsProject("partition_0", ZCU102, 5.0, **FILES, testbench_arguments=("in.bin", "out.bin")),
}


def vivado(folder: Path, project: VivadoProject, text: str | None = None, vendor: Vendor = VENDOR) -> Outcome:
    """Run the project's script, or `text` in its place."""
    here = folder / "vivado" / "p0"
    here.mkdir(parents=True, exist_ok=True)
    (here / project.repository).resolve().mkdir(parents=True, exist_ok=True)
    script = here / "build.tcl"
    script.write_text(vivado_script(project) if text is None else text)
    return run_vivado(script, project.top, project.vlnv, project.bundles, vendor)


def hls(
    folder: Path,
    project: HlsProject,
    text: str | None = None,
    vendor: Vendor = VENDOR,
    steps: tuple[str, ...] = ("csim", "csynth", "export"),
) -> Outcome:
    """Run the project's script, or `text` in its place."""
    here = folder / "hls" / "p0"
    here.mkdir(parents=True, exist_ok=True)
    for name in (*FILES["sources"], *FILES["testbench"]):
        (here / name).write_text("")
    script = here / "build.tcl"
    script.write_text(hls_script(project) if text is None else text)
    return run_vitis_hls(script, project.top, f"convmake:hls:{project.top}:1.0", vendor, steps)
