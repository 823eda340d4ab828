"""Every script runs to its end against the stubs; every mutated script is rejected for its own reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from .cases import HLS, VENDOR, VIVADO, hls, hls_script, vivado, vivado_script

MUTATIONS = yaml.safe_load((Path(__file__).parent / "mutations.yaml").read_text())
TEXTS = {f"vivado/{name}": vivado_script(project) for name, project in VIVADO.items()}
TEXTS |= {f"hls/{name}": hls_script(project) for name, project in HLS.items()}


def run(folder: Path, case: str, text: str | None = None):
    kind, name = case.split("/")
    return vivado(folder, VIVADO[name], text) if kind == "vivado" else hls(folder, HLS[name], text)


@pytest.mark.parametrize("case", TEXTS)
def test_script_runs_to_its_end(case: str, tmp_path: Path) -> None:
    assert run(tmp_path, case).problems == ()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[m["name"] for m in MUTATIONS])
def test_mutated_script_is_rejected(mutation: dict[str, str], tmp_path: Path) -> None:
    text = TEXTS[mutation["case"]]
    assert mutation["find"] in text, "the mutation no longer applies"
    outcome = run(tmp_path, mutation["case"], text.replace(mutation["find"], mutation["put"], 1))
    assert any(mutation["because"] in problem for problem in outcome.problems), outcome


@pytest.mark.parametrize("version", ["2020.1", "2020.2", "2022.1", "2022.2", "2024.2"])
def test_older_versions_go_without_younger_options(version: str, tmp_path: Path) -> None:
    outcome = hls(tmp_path, HLS["vivado"], vendor=replace(VENDOR, version=version))
    assert outcome.problems == ()
    assert ("goes without" in outcome.output) == (version < "2021.2")


def test_cosimulation_is_a_choice(tmp_path: Path) -> None:
    assert hls(tmp_path, HLS["arguments"], steps=("csim", "csynth", "cosim", "export")).accepted
    assert "not a step" in hls(tmp_path, HLS["arguments"], steps=("cosimulate",)).problems[0]


def test_hardware_description_of_2020_1_is_found(tmp_path: Path) -> None:
    assert vivado(tmp_path, VIVADO["zynq7000_board"], vendor=replace(VENDOR, generated="srcs")).accepted


def test_missed_timing_fails_and_leaves_no_bitstream(tmp_path: Path) -> None:
    outcome = vivado(tmp_path, VIVADO["zynq7000_board"], vendor=replace(VENDOR, slack=-0.2))
    assert "timing is not met" in outcome.problems[0]
    here = tmp_path / "vivado" / "p0"
    assert (here / "reports" / "timing_summary.rpt").is_file()
    assert not (here / "partition_0.bit").exists()


def test_results_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    assert vivado(tmp_path, VIVADO["bare"]).accepted
    failing = replace(VENDOR, failing_run="synth_1")
    assert "synth_1 did not finish" in vivado(tmp_path, VIVADO["bare"], vendor=failing).problems[0]
    assert not (tmp_path / "vivado" / "p0" / "partition_0.dcp").exists()


@pytest.mark.parametrize(
    ("vendor", "message"),
    [
        (replace(VENDOR, boards=()), "board files of xilinx.com:zc706:part0:1.4 are not installed"),
        (replace(VENDOR, parts=VENDOR.parts[1:]), "this Vivado has no part xc7z045ffg900-2"),
        (replace(VENDOR, boards=(("xilinx.com:zc706:part0:1.4", "xc7z020clg484-1"),)), "has another part"),
    ],
)
def test_missing_installation_fails_loudly(vendor, message: str, tmp_path: Path) -> None:
    assert any(message in p for p in vivado(tmp_path, VIVADO["zynq7000_board"], vendor=vendor).problems)


def test_missing_ip_fails_loudly(tmp_path: Path) -> None:
    project = VIVADO["zynq7000_board"]
    outcome = vivado(tmp_path, project, vivado_script(replace(project, ip_repository="../nowhere")))
    assert "run Vitis HLS first" in outcome.problems[0]
