"""g++: compiles a generated partition with its test bench, and runs it.

Modes of one source: `native` swaps arbitrary-precision types for plain integers and is some ten times faster; `ap_int`
computes with the types that are synthesised, on the open headers in `ip_templates/ap_types`. `timed` is `native` with a
clock per process and bounded FIFOs, `timed_only` the same without arithmetic.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flow.diagnostics import BuildError, Problem

MODES = ("native", "ap_int")
"""How a partition is compiled to compare its bits."""
TIMED_MODES = ("timed", "timed_only")
"""How it is compiled to count its cycles."""

AP_TYPES = Path(__file__).resolve().parents[2] / "ip_templates" / "ap_types"
_FLAGS = ("-std=c++14", "-w")
# Portable code only: with -march=native a cached program would not run on every machine.
_OPTIMISE = {"native": "-O3", "ap_int": "-O2", "timed": "-O3", "timed_only": "-O1"}
_DEFINE = {
    "native": ("-DCONVMAKE_NATIVE",),
    "ap_int": ("-isystem", str(AP_TYPES)),
    "timed": ("-DCONVMAKE_NATIVE", "-DCONVMAKE_TIMED"),
    "timed_only": ("-DCONVMAKE_NATIVE", "-DCONVMAKE_TIMED", "-DCONVMAKE_TIMED_ONLY"),
}
_COMPILE_S, _RUN_S = 900.0, 3600.0
_SHOWN = 1500


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled test bench."""

    path: Path
    mode: str


def compiler() -> str:
    """Path of g++. TOOL001 if there is none."""
    found = shutil.which("g++")
    if found is None:
        hint = "install a C++ compiler, e.g. `apt-get install g++`"
        raise BuildError(Problem("TOOL001", "g++ is not installed or not on the PATH", hint))
    return found


@cache
def compiler_version() -> str:
    """First line of what `g++ --version` says. TOOL001 if there is none."""
    done = _run((compiler(), "--version"), Path.cwd(), _COMPILE_S, "TOOL002", "g++ --version")
    return done.stdout.partition("\n")[0]


def compile_bench(project: Path, mode: str, folder: Path) -> Program:
    """Compile `hls/p<i>/` into `folder`. TOOL002 if the compiler refuses it."""
    program = Program(folder / f"testbench_{mode}", mode)
    top = "timed" if mode in TIMED_MODES else project.name.replace("p", "partition_")
    _compile(project, (top, "testbench"), mode, program.path)
    return program


def compile_device(project: Path, folder: Path) -> Path:
    """Compile `hls/p<i>/` as a device of the virtual board, on the `registers.hpp` in `folder`. TOOL002 if refused."""
    top = project.name.replace("p", "partition_")
    _compile(project, (top, "device"), "native", folder / "device", (f"-I{folder}", "-pthread"))
    return folder / "device"


def _compile(project: Path, names: Sequence[str], mode: str, program: Path, more: Sequence[str] = ()) -> None:
    sources = [str(project / f"{name}.cpp") for name in names]
    flags = (*_FLAGS, _OPTIMISE[mode], *_DEFINE[mode], f"-I{project}", *more)
    program.parent.mkdir(parents=True, exist_ok=True)
    what = f"{project.parent.name}/{project.name}"
    done = _run(
        (compiler(), *flags, *sources, "-o", str(program)), program.parent, _COMPILE_S, "TOOL002", f"g++ on {what}"
    )
    if done.returncode:
        raise _failed("TOOL002", f"g++ does not compile {what}", done)


def run_bench(program: Program, arguments: Sequence[str | Path], folder: Path, allowed: Sequence[int] = (0,)) -> int:
    """Run a test bench in `folder`; its exit status. TOOL003 if it is none of `allowed` or takes too long."""
    what = f"C simulation of {folder.name} ({program.mode})"
    done = _run((str(program.path), *map(str, arguments)), folder, _RUN_S, "TOOL003", what)
    if done.returncode not in allowed:
        raise _failed("TOOL003", f"{what} failed", done)
    return done.returncode


def _run(
    command: Sequence[str], folder: Path, limit_s: float, code: str, what: str
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(Problem(code, f"{what} took more than {limit_s:.0f} s")) from error
    except OSError as error:
        raise BuildError(Problem(code, f"{what}: {command[0]} cannot be run: {error.strerror}")) from error


def _failed(code: str, message: str, done: subprocess.CompletedProcess[str]) -> BuildError:
    said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:_SHOWN])
    reason = said.strip()[:_SHOWN] or f"exit status {done.returncode}"
    return BuildError(Problem(code, f"{message}: {reason}"))
