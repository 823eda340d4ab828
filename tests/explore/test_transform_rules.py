"""Rules of a user's own that open parts of the design space: whatever they do is one error of their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.explore.transform import Gene, load_transforms
from flow.operators.convolution import Conv

HEAD = '"""Mine."""\nfrom flow.explore.transform import Gene, transform\nfrom flow.operators.convolution import Conv\n'
CONV = Conv(4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))


def gene(folder: Path, body: str, before: str = "") -> Gene | None:
    (folder / "mine.py").write_text(f"{HEAD}{before}\n@transform(applies_to=Conv)\ndef mine(op, inputs):\n    {body}\n")
    (rule,) = load_transforms([folder])
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
    assert word in problem.message and problem.file.endswith("mine.py")


def test_a_rule_that_ends_the_program(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="RULE032"):
        gene(tmp_path, "return None", "raise SystemExit(0)")
