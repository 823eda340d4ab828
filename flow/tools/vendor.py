"""Vivado, Vitis HLS and the Vitis linker: finding them, running a script, and saying clearly what went wrong.

Codes: TOOL001 not installed, TOOL002 cannot be started, or too old, TOOL003 failed, TOOL004 unreadable report,
TOOL005 took too long.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from flow.diagnostics import BuildError, Problem, suggest

OLDEST = (2020, 1)
_SHOWN_ERRORS = 3
_LOOK_S = 0.5
"""How often a running tool is looked at: whether it should be stopped."""

# Tool → executables, the preferred one first.
_EXECUTABLES: Mapping[str, tuple[str, ...]] = {
    "vitis_hls": ("vitis_hls", "vitis-run"),
    "vivado": ("vivado",),
    "v++": ("v++",),
}
# Versions in which an executable runs a script, where not in all: `vitis-run` takes Tcl since 2023.2, `vitis_hls` is
# announced to go with 2024.2 (Vitis Libraries 2024.2, "Run a L1 Example") and may be there without doing its work.
_VERSIONS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "vitis_hls": (OLDEST, (2024, 1)),
    "vitis-run": ((2023, 2), (9999, 9)),
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
    there = [Path(path) for path in map(shutil.which, _executables(name)) if path]
    if not there:
        words = " or ".join(f"'{e}'" for e in _executables(name))
        raise BuildError(Problem("TOOL001", f"no {words} on PATH", _HINTS[name]))
    found = [Tool(name, executable, _version(executable)) for executable in there]
    fitting = [tool for tool in found if _runs_scripts(tool)]
    if not fitting:
        said = " and ".join(f"{t.executable.name} is version {t.version[0]}.{t.version[1]}" for t in found)
        why = f"older than {OLDEST[0]}.{OLDEST[1]}" if found[0].version < OLDEST else "which does not run Tcl"
        raise BuildError(Problem("TOOL002", f"{said}, {why}", _HINTS[name]))
    return fitting[0]


def _runs_scripts(tool: Tool) -> bool:
    oldest, newest = _VERSIONS.get(tool.executable.name, (OLDEST, (9999, 9)))
    return oldest <= tool.version <= newest


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


def log_of(tool: Tool, folder: Path) -> Path:
    """Where everything goes that a tool prints while it runs a script in a folder."""
    return folder / f"{tool.name.replace('+', 'p')}.log"


def run_tool(
    tool: Tool,
    script: Path,
    arguments: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    stop: Event | None = None,
) -> Ran:
    """Run a script in its own folder; everything that the tool prints goes to `<tool>.log` beside it.

    Raises TOOL003 with the tool's first error messages if it fails, TOOL005 if it takes longer than `timeout_s` or
    `stop` is set; its children are ended with it.
    """
    log = log_of(tool, script.parent)
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
            status = _wait(process, timeout_s, stop)
    except OSError as error:
        raise BuildError(Problem("TOOL002", f"{tool.executable.name} does not start: {error.strerror}")) from error
    text = log.read_text(encoding="utf-8", errors="replace")
    if status is None:
        why = "was interrupted" if stop is not None and stop.is_set() else f"took more than {timeout_s:g} s"
        raise BuildError(Problem("TOOL005", f"{tool.name} {why}", f"see {log}"))
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


def _wait(process: subprocess.Popen[bytes], timeout_s: float | None, stop: Event | None) -> int | None:
    """Exit status, or None if time ran out. However the wait ends, the tool's process group has ended with it."""
    end = time.monotonic() + (math.inf if timeout_s is None else timeout_s)
    try:
        while not (stop is not None and stop.is_set()) and time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(max(0.0, min(_LOOK_S, end - time.monotonic())))
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
