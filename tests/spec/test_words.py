"""Words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.spec import parse_words, spec_paths

ROOT = Path(__file__).resolve().parents[2]


def test_words_become_values() -> None:
    values = parse_words(["spec=a,b", "build_dir=/tmp/x=y"], ["spec", "build_dir"])
    assert values == {"spec": "a,b", "build_dir": "/tmp/x=y"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["spce=a"], "error[CLI001]: unknown option 'spce'\n  hint: did you mean 'spec'?"),
        (["spec=a", "spec=b"], "error[CLI002]: 'spec=' is given twice\n  hint: separate several values by commas"),
        (["spec="], "error[CLI003]: 'spec=' has no value\n  hint: write spec=VALUE"),
        (["spec"], "error[CLI006]: 'spec' is not of the form name=value\n  hint: did you mean 'spec'?"),
        (["=a"], "error[CLI001]: unknown option ''\n  hint: known: name, spec"),
    ],
)
def test_wrong_words(words: list[str], text: str) -> None:
    with pytest.raises(BuildError) as caught:
        parse_words(words, ["spec", "name"])
    assert render_all(caught.value.problems) == text


def test_all_wrong_words_at_once() -> None:
    with pytest.raises(BuildError) as caught:
        parse_words(["a=1", "b=2"], ["spec"])
    assert [p.code for p in caught.value.problems] == ["CLI001", "CLI001"]


def test_names_and_paths_of_specs(tmp_path: Path) -> None:
    own = tmp_path / "my.yaml"
    own.touch()
    assert spec_paths(f"vgg16_zc706, {own}", ROOT) == (ROOT / "specs" / "vgg16_zc706.yaml", own)


@pytest.mark.parametrize(
    ("value", "code", "hint"),
    [
        ("vgg16_zc760", "CLI005", "did you mean 'vgg16_zc706'?"),
        ("vgg16_zc706,,", "CLI003", ""),
        ("specs/../nowhere.yaml", "CLI005", "a path is relative to the current folder"),
        ("vgg16_zc706,vgg16_zc706", "CLI004", "rename one, or build them in two calls"),
        ("a\0b", "CLI005", ""),
        ("specs", "CLI005", ""),
    ],
)
def test_wrong_specs(value: str, code: str, hint: str) -> None:
    with pytest.raises(BuildError) as caught:
        spec_paths(value, ROOT)
    assert caught.value.problems[0].code == code
    assert hint in caught.value.problems[0].hint


def test_two_specs_of_one_stem_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "my.yaml" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.touch()
    with pytest.raises(BuildError, match="CLI004"):
        spec_paths(",".join(map(str, paths)), ROOT)
