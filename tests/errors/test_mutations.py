"""Random edits of the shipped specs: whatever the text, the answer is a build or a `BuildError` that prints."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from flow.diagnostics import BuildError, render_all
from flow.spec import resolve, resolved_json

ROOT = Path(__file__).resolve().parents[2]
# fmt: off
ODD = [
    "", "\t", ":", "- ", "[", "{", "}", "*a", "&a ", "!x ", "'", '"', "#", "---\n", "\u2028", "\x00", "é", "0", "-1",
    "~", "null", "{a: 1}", "[[]]", "999999999999", ".nan", "yes", "../..", "a/b", "$x", "\ud7ff", '"\\0"', "input",
    "conv: {}", "1e9", "x" * 300,
]
# fmt: on
LEAST_BROKEN = 100


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shipped specs with empty files in place of models and images."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs", ignore=shutil.ignore_patterns("*.npz", "*.onnx", "schemas"))
    for name in ("lenet5.onnx", "resnet8.onnx", "resnet8_fashion.onnx", "data/mnist.npz", "data/fashion.npz"):
        path = tmp_path / "specs" / "networks" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize("seed", range(4))
def test_mutated_specs_never_crash(project: Path, seed: int) -> None:
    draw = random.Random(seed)
    builds = sorted((project / "specs").glob("*.yaml"))
    broken = 0
    for _ in range(60):
        build = draw.choice(builds)
        path = draw.choice([build, *parts_of(build)])
        original = path.read_bytes()
        path.write_bytes(mutated(original, draw))
        try:
            resolved_json(resolve(build, project))
        except BuildError as error:
            broken += 1
            assert render_all(error.problems, project).count("error[SPEC") >= 1
        path.write_bytes(original)
    assert broken * 4 > LEAST_BROKEN  # or the edits test nothing


def parts_of(build: Path) -> list[Path]:
    words = dict(line.split(": ", 1) for line in build.read_text("utf-8").splitlines() if ": " in line)
    folder = build.parent
    return [folder / "networks" / f"{words['network']}.yaml", folder / "devices" / f"{words['device']}.yaml"]


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The text with one to three edits: a piece cut, put in, doubled, replaced, or bytes flipped."""
    text = content.decode("utf-8", errors="replace")
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice([0, 1, 1, 2, 5, 30]))
        text = text[:at] + draw.choice([*ODD, text[at:end] * 2, text[end : end + 40]]) + text[end:]
    result = bytearray(text.encode("utf-8", errors="replace"))
    if result and draw.random() < 0.1:
        result[draw.randrange(len(result))] = draw.randrange(256)
    return bytes(result)
