"""Synthesis of several partitions: nothing twice, side by side, on from where it stopped; tools of three versions."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate.tcl import HlsProject, VivadoProject, hls_script, vivado_script
from flow.tools.synthesis import synthesise_all
from flow.tools.vendor import Tool, run_tool

from .test_vendor import PART, install, path

__all__ = ["path"]


def build(root: Path, partitions: int = 2) -> Path:
    """A build's folder with scripts and sources of so many partitions."""
    for i in range(partitions):
        top, hls, design = f"partition_{i}", root / "hls" / f"p{i}", root / "vivado" / f"p{i}"
        for folder in (hls, design):
            folder.mkdir(parents=True)
        (hls / f"{top}.cpp").write_text(f"void {top}() {{}}\n")
        (hls / "testbench.cpp").write_text("int main() {}\n")
        project = HlsProject(top, PART, 8.0, (f"{top}.cpp",), ("testbench.cpp",))
        (hls / "build.tcl").write_text(hls_script(project))
        (design / "build.tcl").write_text(vivado_script(VivadoProject(top, PART, 125.0, ("gmem_in_0",), "zynq7000")))
    return root


def calls(root: Path) -> list[str]:
    """Tool and partition of every call since the last look, in any order."""
    log = root / "calls.txt"
    lines = [line.split() for line in log.read_text().splitlines()] if log.is_file() else []
    log.unlink(missing_ok=True)
    return sorted(f"{words[0]} {words[-1].rpartition('/')[2]}" for words in lines)


ALL = ["vitis_hls p0", "vitis_hls p1", "vivado p0", "vivado p1"]


def silent(text: str) -> None:
    """Nobody listens."""


def test_only_what_changed_runs_again(path: Path, tmp_path: Path) -> None:
    install(path, "vitis_hls", "vivado")
    out = build(tmp_path / "build")
    first = synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ALL and [p["partition"] for p in first] == [0, 1]
    assert synthesise_all(out, 1, silent) == first and calls(tmp_path) == []
    (out / "hls/p0/testbench.cpp").write_text("// what no hardware is made from\n")
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == []
    (out / "hls/p1/partition_1.cpp").write_text("void partition_1() { /* other */ }\n")
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vitis_hls p1", "vivado p1"]
    script = out / "vivado/p0/build.tcl"
    script.write_text(script.read_text() + "# another step\n")
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vivado p0"]
    (out / "hls/p0/project/solution/syn/report/csynth.xml").unlink()
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vitis_hls p0"], "the same IP comes out: Vivado has nothing new"


def test_a_new_version_of_a_tool_runs_again(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "vitis_hls", "vivado")
    out = build(tmp_path / "build", 1)
    synthesise_all(out, 1, silent)
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", "2023.2")
    calls(tmp_path)
    synthesise_all(out, 1, silent)
    assert calls(tmp_path) == ["vitis_hls p0", "vivado p0"]


def test_a_run_that_failed_goes_on(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first failure keeps the second partition from beginning; what was made before it stands."""
    install(path, "vitis_hls", "vivado")
    out, said = build(tmp_path / "build"), list[str]()
    monkeypatch.setenv("CONVMAKE_FAKE_FAIL", "open_run")
    with pytest.raises(BuildError, match="open_run fails as the test wants"):
        synthesise_all(out, 1, said.append)
    assert {"vitis_hls p0", "vivado p0"} <= set(calls(tmp_path))
    assert "p0: vitis_hls has ended" in said and "p0: vivado has ended" not in said
    monkeypatch.delenv("CONVMAKE_FAKE_FAIL")
    synthesise_all(out, 1, silent)
    assert "vitis_hls p0" not in calls(tmp_path)


def test_partitions_run_side_by_side(path: Path, tmp_path: Path) -> None:
    """Each waits for the other to have begun, which it would in vain if one came after the other."""
    install(path, "vivado", "vitis_hls")
    (path / "vitis_hls").rename(path / "real_hls")
    meet = 'touch "../begun_${PWD##*/}"; for i in $(seq 100); do set -- "$@"; '
    meet += "[ -e ../begun_p0 ] && [ -e ../begun_p1 ] && break; sleep 0.05; done"
    (path / "vitis_hls").write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin:$PATH\ncase "$1" in -f) {meet};;\nesac\n'
        '[ "$1" = -version ] || [ -e ../begun_p0 ] && [ -e ../begun_p1 ] || [ "$1" = -version ] || exit 7\n'
        f'exec tclsh {path}/real_hls "$@"\n')  # fmt: skip
    (path / "vitis_hls").chmod(0o755)
    assert len(synthesise_all(build(tmp_path / "build"), 2, silent)) == 2


def test_an_interrupt_ends_the_tool(path: Path, tmp_path: Path) -> None:
    slow = path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
    slow.chmod(0o755)
    (tmp_path / "build.tcl").write_text("")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    before = time.monotonic()
    with pytest.raises(BuildError, match="TOOL005: vivado was interrupted"):
        run_tool(Tool("vivado", slow, (2024, 1)), tmp_path / "build.tcl", stop=stop)
    assert time.monotonic() - before < 20


@pytest.mark.parametrize(
    ("version", "installed", "used"),
    [
        ("2020.2", ("vitis_hls", "vivado"), "vitis_hls"),
        ("2022.1", ("vitis_hls", "vitis-run", "vivado"), "vitis_hls"),
        ("2024.2", ("vitis_hls", "vitis-run", "vivado"), "vitis-run"),
    ],
)
def test_three_versions(
    version: str, installed: tuple[str, ...], used: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with the executables that it has, of which one may be there without running scripts."""
    install(path, *installed)
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", version)
    (found,) = synthesise_all(build(tmp_path / "build", 1), 1, silent)
    assert calls(tmp_path) == sorted([f"{used} p0", "vivado p0"])
    assert found["hls"]["top"]["usage"]["dsp"] == 220
    usage = found["implementation"]["usage"]
    assert (usage["dsp"], usage["bram18"], usage["lut"], usage["ff"]) == (220, 101, 31250, 40120)


def test_a_version_without_its_executable_is_said(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(path, "vitis_hls", "vivado")
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", "2024.2")
    with pytest.raises(BuildError, match=r"TOOL002: vitis_hls is version 2024\.2, which does not run Tcl"):
        synthesise_all(build(tmp_path / "build", 1), 1, silent)
