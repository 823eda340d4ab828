"""How problems print."""

from __future__ import annotations

from pathlib import Path

from flow.diagnostics import BuildError, Problem, closest, quoted, render, render_all, suggest


def test_the_caret_stands_under_the_column(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one: 1\n  utilisaton: 0.9\n")
    problem = Problem("SPEC002", "unknown key 'utilisaton'", "did you mean 'utilisation'?", "a.yaml", 2, 3)
    assert render(problem, tmp_path).splitlines() == [
        "a.yaml:2:3: error[SPEC002]: unknown key 'utilisaton'",
        "     2 |   utilisaton: 0.9",
        "       |   ^",
        "  hint: did you mean 'utilisation'?",
    ]


def test_two_places_print_both(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\nx: 2\n")
    first = Problem("SPEC007", "first here", "", "a.yaml", 1, 1)
    text = render(Problem("SPEC007", "twice", "", "a.yaml", 2, 1, (first,)), tmp_path)
    assert text.splitlines()[3:5] == ["  a.yaml:1:1: first here", "     1 | x: 1"]


def test_a_tab_before_the_caret_stays_a_tab(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("\tx: 1\n")
    assert render(Problem("S", "m", "", "a.yaml", 1, 2), tmp_path).splitlines()[2] == "       | \t^"


def test_a_long_line_is_cut_around_the_caret(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x" * 500 + "Y" + "x" * 500)
    _, source, caret = render(Problem("S", "m", "", "a.yaml", 1, 501), tmp_path).splitlines()
    assert len(source) < 160 and source[caret.index("^")] == "Y"


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: \x1b[31m\n")
    assert "\x1b" not in render(Problem("S", f"bad {quoted(chr(27))}", "", "a.yaml", 1, 1), tmp_path)


def test_problems_are_sorted_and_printed_once() -> None:
    late, early = Problem("B", "b", "", "f", 9, 1), Problem("A", "a", "", "f", 2, 5)
    text = render_all([late, early, late])
    assert text.splitlines() == ["f:2:5: error[A]: a", "f:9:1: error[B]: b"]


def test_a_problem_without_a_place_is_one_line() -> None:
    assert render(Problem("CLI001", "unknown option 'spce'")) == "error[CLI001]: unknown option 'spce'"
    assert render(Problem("SPEC040", "m", severity="warning")) == "warning[SPEC040]: m"


def test_a_file_that_is_gone_or_short_prints_without_source(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1")
    for file, line in (("gone.yaml", 1), ("a.yaml", 7), ("a\0b", 1)):
        assert len(render(Problem("S", "m", "", file, line, 1), tmp_path).splitlines()) == 1


def test_suggestions() -> None:
    assert suggest("spce", ["spec", "name"]) == "did you mean 'spec'?"
    assert suggest("zzz", ["b", "a"]) == "known: a, b"
    assert suggest("zzz", map(str, range(100))) == ""
    assert suggest("x" * 100_000, ["spec"]) == "known: spec"
    assert closest("CLOCK_MHZ", ["clock_mhz"]) == "clock_mhz"


def test_the_error_carries_its_problems() -> None:
    error = BuildError(Problem("A", "a"))
    assert error.problems == (Problem("A", "a"),) and "A: a" in str(error)
