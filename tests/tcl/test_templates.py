"""The shipped devices, the dealing out of memory ports, a user's own blocks, and what templates must not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate.processing_system import processing_system
from flow.generate.project import Target
from flow.generate.render import TEMPLATES, render, write_if_changed
from flow.generate.target import device_target, kernel_link
from flow.generate.tcl import VivadoProject, hls_script, link_config, memory_paths, vivado_script
from flow.spec import Device, resolve

from .cases import HLS, SEVEN, THREE, VIVADO, hls, vivado
from .interpreter import Vendor

ROOT = TEMPLATES.parent
DEVICES = sorted(p.stem for p in (ROOT / "specs" / "devices").glob("*.yaml"))
OURS = [p for p in (TEMPLATES / "project").glob("*.jinja") if p.name.endswith((".tcl.jinja", ".cfg.jinja"))]


def device(name: str, folder: Path) -> Device:
    spec = folder / "spec.yaml"
    spec.write_text(f"network: lenet5\ndevice: {name}\n")
    return resolve(spec).device


def vivado_project(target: Target, bundles: tuple[str, ...]) -> VivadoProject:
    return VivadoProject(
        "partition_0",
        target.part,
        target.clock_mhz,
        bundles,
        target.family,
        target.board_part,
        memory_ports=target.memory_ports,
    )


@pytest.mark.parametrize("name", DEVICES)
def test_every_shipped_device_builds(name: str, tmp_path: Path) -> None:
    shipped = device(name, tmp_path)
    target = device_target(shipped, shipped.clock_guide_mhz)
    vendor = Vendor(parts=(target.part,), boards=((target.board_part or "none", target.part),))
    if shipped.host == "xrt":
        link = kernel_link(shipped, target.clock_mhz, "partition_0", ("in_0", "out_0", "weights"))
        text = link_config(link)
        assert f"platform={shipped.platform}\n" in text
        assert len(set(re.findall(r"^sp=partition_0_1\.\w+:((?:DDR|HBM)\[[\d:]+\])$", text, re.M))) == 3
    else:
        for bundles in (THREE, SEVEN):
            assert vivado(tmp_path, vivado_project(target, bundles), vendor=vendor).problems == ()


def test_readers_and_writers_share_ports() -> None:
    paths = memory_paths(VIVADO["zynq7000_shared"], processing_system("zynq7000"))
    assert [p.bundles for p in paths] == [
        ("gmem_in_0", "gmem_out_0"),
        ("gmem_in_1", "gmem_out_1"),
        ("gmem_in_2", "gmem_out_2"),
        ("gmem_weights",),
    ]


def test_user_properties_cannot_undo_what_the_design_needs() -> None:
    own = (("CONFIG.PCW_USE_M_AXI_GP0", "0"), ("CONFIG.PCW_UIPARAM_DDR_PARTNO", "MT41J256M16 RE-125"))
    text = vivado_script(VivadoProject("partition_0", "xc7z020clg484-1", 100.0, THREE, "zynq7000", ps_properties=own))
    assert "CONFIG.PCW_USE_M_AXI_GP0 1" in text
    assert "CONFIG.PCW_UIPARAM_DDR_PARTNO {MT41J256M16 RE-125}" in text


def test_users_block_is_run(tmp_path: Path) -> None:
    own = tmp_path / "own" / "project"
    own.mkdir(parents=True)
    block = "{% block after_synthesis %}puts {my step}\n{% endblock %}"
    (own / "hls.tcl.jinja").write_text('{% extends "convmake/project/hls.tcl.jinja" %}' + block)
    text = hls_script(HLS["vivado"], own.parent)
    assert hls(tmp_path, HLS["vivado"], text).output.strip() == "my step"


@pytest.mark.parametrize(
    ("text", "code"), [("{{ nothing }}", "GEN002"), ("{% if %}", "GEN002"), ("{{ project.tpo }}", "GEN002")]
)
def test_broken_template_is_one_clear_error(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "mine.jinja").write_text(text)
    with pytest.raises(BuildError, match=code):
        render("mine.jinja", {"project": HLS["vivado"]}, tmp_path)


def test_missing_template_is_one_clear_error() -> None:
    with pytest.raises(BuildError, match="GEN001") as caught:
        render("project/hsl.tcl.jinja", {})
    assert "project/hls.tcl.jinja" in caught.value.problems[0].hint


def test_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    assert write_if_changed(path, "x")
    assert not write_if_changed(path, "x")
    assert write_if_changed(path, b"y")


@pytest.mark.parametrize("template", OURS, ids=lambda p: p.name)
def test_templates_name_no_device_and_stay_short(template: Path) -> None:
    text = template.read_text()
    named = [d for d in DEVICES if re.search(rf"\b{d}\b", text, re.I)] + re.findall(r"\bxc[7kuz]\w+", text, re.I)
    assert not named
    assert len(text.splitlines()) <= 125
    assert not re.search(r"\b(20[0-3]\d-\d\d|\d{1,2}:\d\d:\d\d)\b", text)


@pytest.mark.parametrize("case", VIVADO)
def test_scripts_are_deterministic_and_ascii(case: str) -> None:
    text = vivado_script(VIVADO[case])
    assert text == vivado_script(VIVADO[case])
    assert text.isascii()
    assert "{{" not in text.replace("{{project", "")
