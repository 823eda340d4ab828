"""What the README names as needed: a missing tool fails here, with the package that has it."""

import shutil
import subprocess

import pytest

PACKAGES = {"g++": "g++", "perl": "perl", "make": "make", "tclsh": "tcl"}


@pytest.mark.parametrize("tool", PACKAGES)
def test_a_prerequisite_is_installed(tool: str) -> None:
    assert shutil.which(tool), f"'{tool}' is not on the PATH: install it (Debian: apt-get install {PACKAGES[tool]})"


def test_the_compiler_speaks_cpp14() -> None:
    source = "int main() { auto f = [](auto x) { return x; }; return f(0); }"
    command = ["g++", "-std=c++14", "-x", "c++", "-fsyntax-only", "-"]
    assert subprocess.run(command, input=source, text=True, capture_output=True, check=False).returncode == 0
