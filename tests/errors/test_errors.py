"""Every broken spec in cases/ gives exactly the text beside it: place, code, message, source line, caret and hint.

A new case is two files: `NAME.yaml` and `NAME.expect`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.spec import resolve

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_broken_spec_says_what_is_wrong(case: Path) -> None:
    with pytest.raises(BuildError) as caught:
        resolve(case, ROOT)
    assert render_all(caught.value.problems, ROOT) + "\n" == case.with_suffix(".expect").read_text("utf-8")


def test_every_case_has_both_files() -> None:
    folder = Path(__file__).parent / "cases"
    assert {p.stem for p in folder.glob("*.expect")} == {p.stem for p in CASES}
    assert len(CASES) >= 25


def test_every_spec_code_has_a_case() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "flow" / "spec").glob("*.py"))
    expected = "".join(case.with_suffix(".expect").read_text("utf-8") for case in CASES)
    warnings = {"SPEC040"}
    assert set(re.findall(r"SPEC\d{3}", source)) - warnings == set(re.findall(r"error\[(SPEC\d{3})", expected))
