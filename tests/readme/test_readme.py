"""Every command of the README works as it stands there.

A block of commands follows a mark: `<!-- run -->` is run here, `<!-- run: long -->` by `doit readme`. The start
commands, which make an environment of their own, are run by continuous integration (the tests) and by `doit readme`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- (run|run: long|start:build|start:test) -->\n```\n(.*?)```\n<!-- end -->", re.S)
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis")


def blocks(kind: str) -> list[str]:
    return [body for found, body in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")) if found == kind]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project as a user has it."""
    place = tmp_path_factory.mktemp("readme") / "convmake"
    shutil.copytree(ROOT, place, ignore=LEFT_OUT)
    return place


def run(block: str, place: Path, seconds: int) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", block),
        cwd=place,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_block_is_marked() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [block for block in text.split("```")[1::2] if block.startswith("\n")]
    assert len(BLOCK.findall(text)) == len(commands)
    assert blocks("run") and blocks("run: long")
    assert len(blocks("start:build")) == len(blocks("start:test")) == 1


@pytest.mark.parametrize("block", blocks("run"))
def test_quick_commands(block: str, copy: Path) -> None:
    assert run(block, copy, 300)


@pytest.mark.readme_long
@pytest.mark.parametrize("block", blocks("run: long"))
def test_long_commands(block: str, copy: Path) -> None:
    assert run(block, copy, 3600)


@pytest.mark.readme_long
def test_start(copy: Path) -> None:
    run(blocks("start:build")[0], copy, 3600)
    assert (copy / "build/vgg16_zc706/report/index.html").is_file()
