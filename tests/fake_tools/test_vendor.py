"""Finding and running the vendor's tools, against the fakes of this folder; reports of all supported shapes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate.tcl import HlsProject, VivadoProject, hls_script, vivado_script
from flow.tools.reports import Usage, parse_csynth, parse_timing, parse_utilisation
from flow.tools.synthesis import implement, synthesise
from flow.tools.vendor import Tool, command_line, find_tool, locate, messages, run_tool

FAKES = Path(__file__).parent
PART = "xc7z045ffg900-2"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds tclsh and env only; fakes are put there by name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("tclsh", "env", "sh", "sleep"):
        (folder / name).symlink_to(shutil.which(name) or "missing")
    shutil.copy(FAKES / "fake.tcl", folder)
    shutil.copytree(FAKES / "reports", folder / "reports")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CONVMAKE_FAKE_LOG", str(tmp_path / "calls.txt"))
    return folder


def install(path: Path, *names: str) -> None:
    for name in names:
        shutil.copy(FAKES / name, path / name)


def hls_folder(root: Path) -> Path:
    folder = root / "hls" / "p0"
    folder.mkdir(parents=True)
    project = HlsProject("partition_0", PART, 8.0, ("partition_0.cpp",), ("testbench.cpp",))
    (folder / "build.tcl").write_text(hls_script(project))
    return folder


def vivado_folder(root: Path, family: str = "zynq7000") -> Path:
    folder = root / "vivado" / "p0"
    folder.mkdir(parents=True)
    (folder / "build.tcl").write_text(vivado_script(VivadoProject("partition_0", PART, 125.0, ("gmem_in_0",), family)))
    return folder


def test_missing_tool_is_named(path: Path) -> None:
    assert locate("vivado") is None
    with pytest.raises(BuildError, match=r"TOOL001.*'vitis_hls' or 'vitis-run'"):
        find_tool("vitis_hls")
    with pytest.raises(BuildError, match="TOOL001") as caught:
        find_tool("vivdo")
    assert "vivado" in caught.value.problems[0].hint


def test_older_hls_is_preferred_and_newer_taken(path: Path) -> None:
    install(path, "vitis-run")
    newer = find_tool("vitis_hls")
    assert command_line(newer, "build.tcl")[1:] == ("--mode", "hls", "--tcl", "build.tcl")
    install(path, "vitis_hls")
    older = find_tool("vitis_hls")
    assert command_line(older, "build.tcl")[1:] == ("-f", "build.tcl")


def test_version_is_read_and_too_old_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "vivado")
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", "2022.2")
    assert find_tool("vivado").version == (2022, 2)
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", "2019.2")
    with pytest.raises(BuildError, match=r"TOOL002.*2019\.2"):
        find_tool("vivado")
    monkeypatch.setenv("CONVMAKE_FAKE_VERSION", "unknown")
    with pytest.raises(BuildError, match="TOOL002"):
        find_tool("vivado")


@pytest.mark.parametrize("executable", ["vitis_hls", "vitis-run"])
def test_synthesis_leaves_report_and_ip(executable: str, path: Path, tmp_path: Path) -> None:
    install(path, executable)
    folder = hls_folder(tmp_path)
    ran = run_tool(find_tool("vitis_hls"), folder / "build.tcl", environment={"CONVMAKE_HLS_STEPS": "csynth export"})
    assert ran.log.is_file()
    solution = folder / "project" / "solution"
    assert (solution / "impl" / "ip" / "component.xml").is_file()
    report = parse_csynth((solution / "syn" / "report" / "csynth.xml").read_text())
    assert (report.top.name, report.clock_ns, report.estimated_ns) == ("partition_0", 8.0, 5.812)
    assert report.top.latency_cycles is None
    assert report.top.usage == Usage(dsp=220, bram18=96, uram=0, lut=28745, ff=30510)
    assert [(m.name, m.latency_cycles, m.interval_cycles) for m in report.modules] == [
        ("convolution_conv1", 1037, 1024)
    ]
    assert (tmp_path / "calls.txt").read_text().endswith("build.tcl in hls/p0\n")


@pytest.mark.parametrize(("family", "left"), [("zynq7000", (".bit", ".hwh", ".xsa")), ("", (".dcp",))])
def test_implementation_leaves_outputs(family: str, left: tuple[str, ...], path: Path, tmp_path: Path) -> None:
    install(path, "vivado")
    (tmp_path / "hls/p0/project/solution/impl/ip").mkdir(parents=True)
    folder = vivado_folder(tmp_path, family)
    run_tool(find_tool("vivado"), folder / "build.tcl")
    assert all((folder / f"partition_0{suffix}").is_file() for suffix in left)
    usage = parse_utilisation((folder / "reports" / "utilization.rpt").read_text())
    assert usage == Usage(dsp=220, bram18=101, uram=0, lut=31250, ff=40120)
    timing = parse_timing((folder / "reports" / "timing_summary.rpt").read_text())
    assert timing.met
    assert (timing.setup_slack_ns, timing.hold_slack_ns, timing.clock_ns) == (0.312, 0.021, 8.0)
    assert timing.reachable_mhz == pytest.approx(1000 / 7.688)


def test_a_partition_goes_through_both_tools(path: Path, tmp_path: Path) -> None:
    install(path, "vitis_hls", "vivado")
    assert synthesise(hls_folder(tmp_path)).part == "xc7z045-ffg900-2"
    done = implement(vivado_folder(tmp_path))
    assert (done.usage.dsp, done.timing.met) == (220, True)
    calls = [line.split()[0] for line in (tmp_path / "calls.txt").read_text().splitlines()]
    assert calls == ["vitis_hls", "vivado"]


def test_a_tool_that_leaves_no_report_is_an_error(path: Path, tmp_path: Path) -> None:
    install(path, "vitis_hls")
    with pytest.raises(BuildError, match="TOOL004: the tool left no report"):
        synthesise(hls_folder(tmp_path), steps=("csim",))


def test_failure_gives_the_tools_own_message(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "vitis_hls")
    monkeypatch.setenv("CONVMAKE_FAKE_FAIL", "csynth_design")
    with pytest.raises(BuildError, match=r"TOOL003: vitis_hls failed with status 1: \[Fake 1-1\] csynth_design fails"):
        run_tool(find_tool("vitis_hls"), hls_folder(tmp_path) / "build.tcl")


def test_missed_timing_is_a_failure(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "vivado")
    monkeypatch.setenv("CONVMAKE_FAKE_SLACK", "-0.250")
    (tmp_path / "hls/p0/project/solution/impl/ip").mkdir(parents=True)
    folder = vivado_folder(tmp_path)
    with pytest.raises(BuildError, match="timing is not met"):
        run_tool(find_tool("vivado"), folder / "build.tcl")
    assert not parse_timing((folder / "reports" / "timing_summary.rpt").read_text()).met
    assert not (folder / "partition_0.bit").exists()


def test_time_out_ends_the_tool_and_its_children(path: Path, tmp_path: Path) -> None:
    slow = path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
    slow.chmod(0o755)
    (tmp_path / "build.tcl").write_text("")
    with pytest.raises(BuildError, match=r"TOOL005: vivado took more than 0\.2 s"):
        run_tool(Tool("vivado", slow, (2024, 1)), tmp_path / "build.tcl", timeout_s=0.2)


def test_tool_that_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "build.tcl").write_text("")
    with pytest.raises(BuildError, match="TOOL002"):
        run_tool(Tool("vivado", tmp_path / "nothing", (2024, 1)), tmp_path / "build.tcl")


def test_messages_are_told_once() -> None:
    log = "INFO: a\nCRITICAL WARNING: [X 1-2] b\nERROR: [Y 3-4] c\nERROR: [Y 3-4] c\nnot ERROR: d\n"
    assert messages(log, "ERROR") == ("[Y 3-4] c",)
    assert messages(log, "CRITICAL WARNING") == ("[X 1-2] b",)


def test_ultrascale_utilisation_without_prohibited_column() -> None:
    text = """
| Site Type                  |  Used | Fixed | Available | Util% |
| CLB LUTs*                  | 12345 |     0 |    274080 |  4.50 |
| CLB Registers              | 23456 |     0 |    548160 |  4.28 |
| Block RAM Tile |    8 |     0 |       912 |  0.88 |
| URAM           |    3 |     0 |        96 |  3.13 |
| DSPs           |   77 |     0 |      2520 |  3.06 |
"""
    assert parse_utilisation(text) == Usage(dsp=77, bram18=16, uram=3, lut=12345, ff=23456)


def test_older_synthesis_report_counts_dsp48e() -> None:
    text = (FAKES / "reports" / "csynth.xml").read_text().replace("<DSP>", "<DSP48E>").replace("</DSP>", "</DSP48E>")
    assert parse_csynth(text).top.usage.dsp == 220


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_csynth, "<profile>"),
        (parse_csynth, "<html/>"),
        (parse_csynth, "<profile><UserAssignments/></profile>"),
        (parse_utilisation, "| Slice LUTs | 3 |"),
        (parse_timing, "nothing"),
    ],
)
def test_what_is_no_report_is_an_error(parse, text: str) -> None:
    with pytest.raises(BuildError, match="TOOL004") as caught:
        parse(text, "reports/x")
    assert caught.value.problems[0].file == "reports/x"


def test_critical_warnings_are_kept(path: Path, tmp_path: Path) -> None:
    loud = path / "loud"
    loud.write_text("#!/bin/sh\necho 'CRITICAL WARNING: [A 1-1] no board'\n")
    loud.chmod(0o755)
    (tmp_path / "build.tcl").write_text("")
    tool = replace(Tool("vivado", loud, (2024, 1)))
    assert run_tool(tool, tmp_path / "build.tcl").critical_warnings == ("[A 1-1] no board",)
