"""The rebuild table of the product, one case a file: an edit, the stages that run again, and the ones that do not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
ALL = ("import", "rewrite", "decompose", "explore", "realise", "generate", "simulate", "report")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_an_edit_rebuilds_what_it_touches(case: Path, project: Path, run: Callable[..., Any]) -> None:
    promise = yaml.safe_load(case.read_text())
    for edit in promise["edits"]:
        path = project / edit["file"]
        text = path.read_text()
        assert edit["replace"] in text, "the case no longer fits the file"
        path.write_text(text.replace(edit["replace"], edit["by"], 1))
    outcome = run(project, "build", "spec=tiny_zed")
    assert outcome.status == 0, outcome.output
    assert outcome.ran == promise["reruns"], outcome.output
    assert set(promise["reruns"]) | set(promise["stays"]) == set(ALL)


def test_a_rule_that_no_pipeline_lists_rebuilds_nothing(project: Path, run: Callable[..., Any]) -> None:
    (project / "rules/rewrite/unlisted.py").write_text('"""Not listed anywhere."""\n')
    assert run(project, "build", "spec=tiny_zed").ran == []


def test_vendor_tools_run_once(project: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    """Tools on the PATH that log their calls: one call a partition and tool, none when nothing changed."""
    log = tmp_path / "calls.log"
    fakes = f"{ROOT / 'tests' / 'fake_tools'}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": fakes, "CONVMAKE_FAKE_LOG": str(log)}
    first = run(project, "synthesise", "spec=tiny_zed", **environment)
    assert first.status == 0, first.output
    assert first.ran == ["synthesise"]
    calls = [line for line in log.read_text().splitlines() if "build.tcl" in line]
    assert len(calls) == 2
    spec = project / "specs/tiny_zed.yaml"
    spec.write_text(spec.read_text() + "# a comment\n")
    second = run(project, "synthesise", "spec=tiny_zed", **environment)
    assert second.ran == []
    assert [line for line in log.read_text().splitlines() if "build.tcl" in line] == calls
    assert "measured" in (project / "build/tiny_zed/report/synthesis.json").read_text()


def test_a_card_is_synthesised_without_vivado(project: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    """Its kernel is exported for the linker, which makes what the host loads; there is no IP that Vivado could take."""
    spec, log = project / "specs/tiny_zed.yaml", tmp_path / "calls.log"
    spec.write_text(spec.read_text().replace("zedboard", "u50"))
    fakes = f"{ROOT / 'tests' / 'fake_tools'}{os.pathsep}{os.environ['PATH']}"
    outcome = run(project, "synthesise", "spec=tiny_zed", PATH=fakes, CONVMAKE_FAKE_LOG=str(log))
    assert outcome.status == 0, outcome.output
    calls = [line.split() for line in log.read_text().splitlines()]
    assert [words[0] for words in calls] == ["vitis_hls", "v++"]
    wanted = "--link --target hw --config link.cfg -o partition_0.xclbin ../../hls/p0/partition_0.xo in vivado/p0"
    assert " ".join(calls[1][1:]) == wanted
    assert (project / "build/tiny_zed/vivado/p0/partition_0.xclbin").is_file()
    assert '"implementation":null' in (project / "build/tiny_zed/report/synthesis.json").read_text().replace(" ", "")
    assert not (project / "build/tiny_zed/vivado/p0/build.tcl").exists()


def test_without_vendor_tools_synthesis_says_what_is_missing(project: Path, run: Callable[..., Any]) -> None:
    outcome = run(project, "synthesise", "spec=tiny_zed")
    assert outcome.status != 0
    assert "TOOL" in outcome.output and "Traceback" not in outcome.output


def test_nothing_to_do_says_so(project: Path, run: Callable[..., Any]) -> None:
    outcome = run(project, "build", "spec=tiny_zed")
    assert outcome.status == 0
    assert outcome.ran == []
    assert "up to date" in outcome.output


def test_two_specs_on_one_network_import_it_once(project: Path, run: Callable[..., Any]) -> None:
    spec = (project / "specs/tiny_zed.yaml").read_text()
    (project / "specs/tiny_zc706.yaml").write_text(spec.replace("zedboard", "zc706"))
    outcome = run(project, "estimate", "spec=tiny_zc706,tiny_zed", "build_dir=elsewhere")
    assert outcome.status == 0, outcome.output
    assert outcome.ran.count("import") == 1
    assert outcome.ran.count("explore") == 2


def test_the_same_input_gives_the_same_bytes(project: Path, run: Callable[..., Any]) -> None:
    """Another folder, another hash seed: every artefact but the times is the same."""
    outcome = run(project, "build", "spec=tiny_zed", "build_dir=again", PYTHONHASHSEED="7")
    assert outcome.status == 0, outcome.output

    def artefacts(folder: Path) -> dict[str, bytes]:
        kept = (p for p in folder.rglob("*") if p.is_file() and p.name not in (".doit.db", "timings.json"))
        sources = (p for p in kept if p.parent.name != "bin")
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sources}

    first, second = artefacts(project / "build/tiny_zed"), artefacts(project / "again/tiny_zed")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_broken_spec_leaves_outputs_untouched(project: Path, run: Callable[..., Any]) -> None:
    before = {p: p.read_bytes() for p in (project / "build").rglob("*") if p.is_file()}
    spec = project / "specs/tiny_zed.yaml"
    spec.write_text(spec.read_text().replace("clock_mhz", "clock_mzh"))
    outcome = run(project, "build", "spec=tiny_zed")
    assert outcome.status != 0
    assert "specs/tiny_zed.yaml:3:1: error[SPEC002]: unknown key 'clock_mzh'" in outcome.output
    assert "did you mean 'clock_mhz'?" in outcome.output
    assert "Traceback" not in outcome.output
    assert before == {p: p.read_bytes() for p in (project / "build").rglob("*") if p.is_file()}


def test_an_unknown_word_is_refused(project: Path, run: Callable[..., Any]) -> None:
    outcome = run(project, "build", "spce=tiny_zed")
    assert outcome.status != 0
    assert "did you mean 'spec'?" in outcome.output


def test_a_broken_spec_keeps_nobody_from_listing(project: Path, run: Callable[..., Any]) -> None:
    (project / "specs/tiny_zed.yaml").write_text("network: [")
    assert run(project, "list", "spec=tiny_zed").status == 0
