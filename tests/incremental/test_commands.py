"""The command line on a project that is built."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_clean_removes_all_of_a_spec_and_nothing_else(project: Path, run: Callable[..., Any]) -> None:
    (project / "build/other").mkdir()
    assert run(project, "clean", "-n", "spec=tiny_zed").status == 0
    assert (project / "build/tiny_zed/report/index.html").exists()
    assert run(project, "clean", "spec=tiny_zed").status == 0
    assert sorted(p.name for p in (project / "build").iterdir()) == [".doit.db", "other"]


def test_a_misspelt_word_cleans_nothing(project: Path, run: Callable[..., Any]) -> None:
    for word, hint in (("spce=tiny_zed", "'spec'"), ("spec=tiny_zde", "'tiny_zed'")):
        outcome = run(project, "clean", word)
        assert outcome.status != 0
        assert f"did you mean {hint}?" in outcome.output
    assert (project / "build/tiny_zed/report/index.html").exists()


def test_a_stage_is_cleaned_alone_of_its_folder(project: Path, run: Callable[..., Any]) -> None:
    assert run(project, "clean", "explore", "spec=tiny_zed").status == 0
    assert not (project / "build/tiny_zed/explore").exists()
    assert (project / "build/tiny_zed/hls/manifest.json").exists()


def test_a_broken_spec_is_cleaned_by_its_name(project: Path, run: Callable[..., Any]) -> None:
    (project / "specs/tiny_zed.yaml").write_text("network: [")
    assert run(project, "clean", "spec=tiny_zed").status == 0
    assert not (project / "build/tiny_zed").exists()


def test_paths_are_relative_to_where_the_user_stands(project: Path, run: Callable[..., Any]) -> None:
    words = ("-f", str(project / "dodo.py"), "show", "spec=tiny_zed.yaml", "build_dir=out")
    outcome = run(project / "specs", *words)
    assert outcome.status == 0, outcome.output
    assert (project / "specs/out/tiny_zed/resolved.json").exists()


def test_everything_runs_again_when_asked(project: Path, run: Callable[..., Any]) -> None:
    assert run(project, "-a", "rewrite", "spec=tiny_zed").ran == ["import", "rewrite"]


def test_states_that_are_no_database_are_given_up(project: Path, run: Callable[..., Any]) -> None:
    (project / "build/.doit.db").write_bytes(b"\0" * 100)
    outcome = run(project, "build", "spec=tiny_zed")
    assert (outcome.status, outcome.ran) == (0, []), outcome.output


def test_new_says_all_that_is_wrong(project: Path, run: Callable[..., Any]) -> None:
    outcome = run(project, "new", "name=../x", "onnx=nosuch.onnx", "device=zedbord")
    assert outcome.status != 0
    assert outcome.output.count("error[CLI") == 3


def test_a_wordlength_for_no_layer_is_an_error(project: Path, run: Callable[..., Any]) -> None:
    spec = project / "specs/tiny_zed.yaml"
    spec.write_text(spec.read_text() + "precision: {layers: {'cnov1': {weights: 8}, 'fc*': {weights: 8}}}\n")
    outcome = run(project, "estimate", "spec=tiny_zed")
    assert outcome.status != 0
    assert "specs/tiny_zed.yaml:6:22: error[NUM006]: no layer is called 'cnov1'" in outcome.output
    assert "did you mean 'conv1'?" in outcome.output


def test_sums_that_are_too_wide_end_the_estimate(project: Path, run: Callable[..., Any]) -> None:
    spec = project / "specs/tiny_zed.yaml"
    spec.write_text(spec.read_text() + "precision: {weights: 32, activations: 32}\n")
    outcome = run(project, "estimate", "spec=tiny_zed")
    assert (outcome.status != 0, outcome.output.count("error[NUM001]"), outcome.ran) == (True, 2, [])


def test_unknown_rules_of_all_sections_stop_before_anything_runs(project: Path, run: Callable[..., Any]) -> None:
    (project / "specs/own.yaml").write_text("rewrite: [fuse_rleu]\ncheck: [nosuch]\ntransform: [coarse]\n")
    spec = project / "specs/tiny_zed.yaml"
    before = (project / "build/tiny_zed/resolved.json").read_bytes()
    spec.write_text(spec.read_text() + "pipeline: ./own.yaml\n")
    outcome = run(project, "build", "spec=tiny_zed")
    assert (outcome.status, outcome.ran, outcome.output.count("error[RULE001]")) == (2, [], 3)
    assert (project / "build/tiny_zed/resolved.json").read_bytes() == before


def test_every_stage_runs_alone(project: Path, run: Callable[..., Any]) -> None:
    """A build that was interrupted goes on in a process that no earlier stage ran in."""
    outputs = {
        "rewrite": "networks/*/rewrite-*/graph.json",
        "decompose": "networks/*/decompose-*/ranges.json",
        "explore": "tiny_zed/explore/design.json",
        "realise": "tiny_zed/realise/graph.json",
        "generate": "tiny_zed/schedule.json",
        "simulate": "tiny_zed/report/verification.json",
        "report": "tiny_zed/report/index.html",
    }
    for stage, pattern in outputs.items():
        (path,) = (project / "build").glob(pattern)
        content = path.read_bytes()
        path.unlink()
        outcome = run(project, "build", "spec=tiny_zed")
        after = ["report"] if stage == "simulate" else []  # a page must never stand beside figures that are gone
        assert (outcome.status, outcome.ran) == (0, [stage, *after]), outcome.output
        assert path.read_bytes() == content


@pytest.mark.slow
def test_what_is_damaged_by_hand_is_made_again(project: Path, run: Callable[..., Any]) -> None:
    damaged = {
        "networks/*/import/graph.json": ["import"],
        "networks/*/import/weights.npz": ["import"],
        "tiny_zed/explore/design.json": ["explore"],
        "tiny_zed/hls/p0/partition_0.cpp": ["generate"],
        "tiny_zed/report/verification.json": ["simulate", "report"],
    }
    for pattern, ran in damaged.items():
        (path,) = (project / "build").glob(pattern)
        content = path.read_bytes()
        path.write_bytes(content[:10])
        outcome = run(project, "build", "spec=tiny_zed")
        assert (outcome.status, outcome.ran) == (0, ran), outcome.output
        assert path.read_bytes() == content
    (project / "build/tiny_zed/hls/p0/build.tcl").unlink()
    (project / "build/tiny_zed/report/timings.json").write_text("{")
    assert run(project, "build", "spec=tiny_zed").ran == ["generate"]


def test_a_new_time_alone_is_no_change(project: Path, run: Callable[..., Any]) -> None:
    for path in (*project.glob("specs/**/*.yaml"), *project.glob("build/**/*")):
        if path.is_file() and path.name != ".doit.db":
            path.touch()
    outcome = run(project, "build", "spec=tiny_zed")
    assert (outcome.status, outcome.ran) == (0, []), outcome.output


def test_an_interrupted_build_says_so_and_goes_on(project: Path) -> None:
    command = (sys.executable, "-m", "doit", "-a", "build", "spec=tiny_zed")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 1}
    with subprocess.Popen(command, cwd=project, text=True, start_new_session=True, **pipes) as build:
        assert build.stdout is not None
        while not build.stdout.readline().startswith("import"):
            pass
        os.killpg(build.pid, signal.SIGINT)
        output = build.stdout.read()
    assert build.returncode != 0
    assert "interrupted" in output and "Traceback" not in output
