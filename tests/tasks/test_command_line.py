"""What the words behind `doit` mean, and what they may touch."""

from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.tasks.command_line import check_commands, read_line, spec_folder, writable_folder
from flow.tasks.files import clean_folders

ROOT = Path(__file__).parents[2]
KNOWN = ("build", "estimate", "explore", "explore:mine")


def said(words: list[str]) -> str:
    with pytest.raises(BuildError) as caught:
        check_commands(read_line(words, ROOT), KNOWN, ("mine",))
    return render_all(caught.value.problems)


def test_commands_options_and_pairs_are_told_apart() -> None:
    line = read_line(["-n", "2", "--dir", "x", "run", "explore:mine", "build", "spec=a b", "-a"], ROOT)
    assert (line.commands, line.pairs, line.always) == (("run", "explore:mine", "build"), ("spec=a b",), True)
    assert line.stems() == ("explore", "build")
    assert read_line(["spec=x"], ROOT).stems() == ("build",)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("bulid", "did you mean 'build'?"),
        ("mine", "did you mean 'build spec=mine'?"),
        ("build:mine", "did you mean 'build spec=mine'?"),
        ("explore:mime", "did you mean 'explore:mine'?"),
        ("xyz", "known: build, estimate, explore"),
    ],
)
def test_an_unknown_command_gets_a_hint(word: str, hint: str) -> None:
    assert said(["build", word]) == f"error[CLI010]: there is no command '{word}'\n  hint: {hint}"


def test_every_unknown_command_is_named() -> None:
    assert said(["bild", "xyz"]).count("CLI010") == 2


def test_what_cannot_be_a_build_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for value in ("file", "file/below", "n\0ul"):
        with pytest.raises(BuildError) as caught:
            writable_folder(value, tmp_path, make=True)
        assert [p.code for p in caught.value.problems] == ["CLI011"]
    assert writable_folder("new/../other", tmp_path, make=True) == tmp_path / "other"
    assert not writable_folder("looked/at", tmp_path, make=False).exists()


def test_a_folder_of_somebody_is_never_a_spec_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert spec_folder(tmp_path, Path("mine.yaml")) == tmp_path / "mine"
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(BuildError, match="CLI012"):
        spec_folder(tmp_path, Path("mine.yaml"))
    (tmp_path / "mine/resolved.json").touch()
    assert spec_folder(tmp_path, Path("mine.yaml")) == tmp_path / "mine"


def test_cleaning_never_leaves_the_build_folder(tmp_path: Path) -> None:
    build, outside = tmp_path / "build", tmp_path / "outside"
    for folder in (build / "mine", outside / "mine"):
        folder.mkdir(parents=True)
        (folder / "kept").touch()
    (build / "link").symlink_to(outside)
    clean_folders((build / "mine", build / "link" / "mine", build / "link", outside, build / ".." / "outside"), build)
    assert list(build.iterdir()) == []
    assert (outside / "mine/kept").exists()
