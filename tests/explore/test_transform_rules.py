"""Rules of a user's own that open parts of the design space: whatever they do is one error of their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.explore.transform import Gene, load_transforms
from flow.operators.convolution import Conv
from flow.rewrite import RuleFolder
from tests.explore.runs import SHIPPED, entry

HEAD = '"""Mine."""\nfrom flow.explore.transform import Gene, transform\nfrom flow.operators.convolution import Conv\n'
CONV = Conv(4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))


def gene(folder: Path, body: str, before: str = "") -> Gene | None:
    (folder / "mine.py").write_text(f"{HEAD}{before}\n@transform(applies_to=Conv)\ndef mine(op, inputs):\n    {body}\n")
    (rule,) = load_transforms([RuleFolder(folder, "mine")], [entry("mine")])
    return rule.gene(CONV, [(2, 6, 6)])


def test_a_gene_with_legal_values_is_taken(tmp_path: Path) -> None:
    assert gene(tmp_path, "return Gene('fine', (1, 3))") == Gene("fine", (1, 3))
    assert gene(tmp_path, "return None") is None


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ("return 1 / 0", "RULE034", "ZeroDivisionError"),
        ("raise SystemExit(0)", "RULE034", "SystemExit"),
        ("return 42", "RULE035", "returns int"),
        ("return Gene('fein', (1,))", "RULE035", "unknown gene 'fein'"),
        ("return Gene('fine', (3, 0))", "RULE035", "no legal values"),
        ("return Gene('fine', ())", "RULE035", "no legal values"),
        ("return Gene('coarse', (1, 2))", "RULE035", "no legal values"),
        ("return Gene('coarse', ((1, 2),))", "RULE035", "no legal values"),
    ],
)
def test_a_rule_that_fails(tmp_path: Path, body: str, code: str, word: str) -> None:
    with pytest.raises(BuildError) as caught:
        gene(tmp_path, body)
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == (code, 5, 1)
    assert word in problem.message and problem.file == "mine/mine.py"


def test_a_rule_that_ends_the_program(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="RULE002"):
        gene(tmp_path, "return None", "raise SystemExit(0)")


def test_a_pipeline_is_checked_like_that_of_rewrites() -> None:
    """All at once, each with its line in the pipeline and what was meant."""
    lines = [
        entry("corse_folding", 2),
        entry("fine_folding", 3, alow_padding=True),
        entry("coarse_folding", 4, allow_padding=1),
        entry("partitioning", 5),
        entry("partitioning", 6),
    ]
    with pytest.raises(BuildError) as caught:
        load_transforms([SHIPPED], lines)
    problems = caught.value.problems
    found = [(p.code, p.line, p.hint) for p in problems]
    assert found == [
        ("RULE001", 2, "did you mean 'coarse_folding'?"),
        ("RULE005", 3, "did you mean 'allow_padding'?"),
        ("RULE006", 4, ""),
        ("RULE015", 6, ""),
    ]
    assert {p.file for p in problems} == {"own.yaml"}


def test_rule_files_are_checked_like_those_of_rewrites(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_that_name")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "fine_folding.py").write_text(f"{HEAD}@transform(applies_to=Conv)\ndef fine_folding(op, inputs): ...\n")
    (tmp_path / "lanes.py").write_text(f"{HEAD}@transform(applies_to=Conv)\ndef lanes(op, inputs, *, n=1): ...\n")
    (tmp_path / "odd.py").write_text(f"{HEAD}@transform(applies_to=Conv)\ndef odd(graph): ...\n")
    with pytest.raises(BuildError) as caught:
        load_transforms([SHIPPED, RuleFolder(tmp_path, "mine")], [])
    found = [(p.code, p.file) for p in caught.value.problems]
    assert found == [
        ("RULE002", "mine/broken.py"),
        ("RULE003", "mine/empty.py"),
        ("RULE004", "mine/fine_folding.py"),
        ("RULE003", "mine/lanes.py"),
        ("RULE003", "mine/odd.py"),
    ]
