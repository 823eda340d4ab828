"""Vivado, Vitis HLS and the Vitis linker: finding them, running a script, and saying clearly what went wrong.

Codes: TOOL001 not installed, TOOL002 cannot be started, or too old, TOOL003 failed, TOOL004 unreadable report,
TOOL005 took too long.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem, suggest

OLDEST = (2020, 1)
_SHOWN_ERRORS = 3

# Tool → executables, the preferred one first: `vitis-run` runs Tcl since 2024.1, `vitis_hls` went with 2024.2.
_EXECUTABLES: Mapping[str, tuple[str, ...]] = {
    "vitis_hls": ("vitis_hls", "vitis-run"),
    "vivado": ("vivado",),
    "v++": ("v++",),
}
_HINTS: Mapping[str, str] = {
    "vitis_hls": "source settings64.sh of Vitis 2020.1 or newer; nothing but synthesis needs it",
    "vivado": "source settings64.sh of Vivado 2020.1 or newer; nothing but synthesis needs it",
    "v++": "source settings64.sh of Vitis 2020.1 or newer; nothing but synthesis needs it",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """An installed tool: `name` as the flow knows it, the executable, and its version such as (2022, 2)."""

    name: str
    executable: Path
    version: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished run: its log file and the tool's critical warnings."""

    log: Path
    critical_warnings: tuple[str, ...]


def locate(name: str) -> Path | None:
    """The executable of `vitis_hls`, `vivado` or `v++` on PATH, without starting it."""
    for executable in _executables(name):
        found = shutil.which(executable)
        if found:
            return Path(found)
    return None


def find_tool(name: str) -> Tool:
    """The tool on PATH with its version. TOOL001 if there is none, TOOL002 if it is too old or does not start."""
    executable = locate(name)
    if executable is None:
        words = " or ".join(f"'{e}'" for e in _executables(name))
        raise BuildError(Problem("TOOL001", f"no {words} on PATH", _HINTS[name]))
    version = _version(executable)
    if version < OLDEST:
        found = f"{executable.name} is version {version[0]}.{version[1]}"
        raise BuildError(Problem("TOOL002", f"{found}, older than {OLDEST[0]}.{OLDEST[1]}", _HINTS[name]))
    return Tool(name, executable, version)


def command_line(tool: Tool, script: str) -> tuple[str, ...]:
    """How this tool runs a script: Tcl for Vitis HLS and Vivado, a configuration for the linker."""
    program = str(tool.executable)
    if tool.name == "vivado":
        return (program, "-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source", script)
    if tool.name == "v++":
        return (program, "--link", "--target", "hw", "--config", script)
    if tool.executable.name.startswith("vitis-run"):
        return (program, "--mode", "hls", "--tcl", script)
    return (program, "-f", script)


def run_tool(
    tool: Tool,
    script: Path,
    arguments: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> Ran:
    """Run a script in its own folder; everything that the tool prints goes to `<tool>.log` beside it.

    Raises TOOL003 with the tool's first error messages if it fails, TOOL005 if it takes longer than `timeout_s`; its
    children are ended with it.
    """
    log = script.parent / f"{tool.name.replace('+', 'p')}.log"
    command = (*command_line(tool, script.name), *arguments)
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=script.parent,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its children can be ended with it
            )
            status = _wait(process, timeout_s)
    except OSError as error:
        raise BuildError(Problem("TOOL002", f"{tool.executable.name} does not start: {error.strerror}")) from error
    text = log.read_text(encoding="utf-8", errors="replace")
    if status is None:
        raise BuildError(Problem("TOOL005", f"{tool.name} took more than {timeout_s:g} s", f"see {log}"))
    errors = messages(text, "ERROR") or _tcl_errors(text)
    if status != 0:
        raise BuildError(_failure(tool, status, errors, log))
    return Ran(log, messages(text, "CRITICAL WARNING"))


def messages(log: str, severity: str) -> tuple[str, ...]:
    """Lines of a log that begin with a severity, without repetition."""
    found = re.findall(rf"^{severity}: *(.*\S)", log, re.MULTILINE)
    return tuple(dict.fromkeys(found))


def _tcl_errors(log: str) -> tuple[str, ...]:
    """What a script's own `error` prints: the message, then where it came from."""
    return tuple(re.findall(r"^(.*\S)\n    while executing$", log, re.MULTILINE))


def _executables(name: str) -> tuple[str, ...]:
    if name not in _EXECUTABLES:
        raise BuildError(Problem("TOOL001", f"no tool is called '{name}'", suggest(name, _EXECUTABLES)))
    return _EXECUTABLES[name]


def _version(executable: Path) -> tuple[int, int]:
    option = "--version" if executable.name.startswith(("vitis-run", "v++")) else "-version"
    try:
        done = subprocess.run(
            [executable, option], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(Problem("TOOL002", f"{executable.name} {option} does not answer")) from error
    match = re.search(rb"\bv(\d{4})\.(\d)", done.stdout + done.stderr)
    if not match:
        raise BuildError(Problem("TOOL002", f"{executable.name} {option} does not tell its version"))
    return int(match.group(1)), int(match.group(2))


def _wait(process: subprocess.Popen[bytes], timeout_s: float | None) -> int | None:
    """Exit status, or None if time ran out. However the wait ends, the tool's process group has ended with it."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _failure(tool: Tool, status: int, errors: tuple[str, ...], log: Path) -> Problem:
    how = f"ended by signal {-status}" if status < 0 else f"failed with status {status}"
    shown = "; ".join(errors[:_SHOWN_ERRORS])
    more = f" (and {len(errors) - _SHOWN_ERRORS} more)" if len(errors) > _SHOWN_ERRORS else ""
    return Problem("TOOL003", f"{tool.name} {how}: {shown or 'no error message'}{more}", f"see {log}")
