"""Runs generated scripts in tclsh against stubs of the vendor's commands.

The options of Vivado's commands come from the PyPI package `xilinx-language-server`, which is read when the tests run:
an independent list, not our own belief. The commands of Vitis HLS are in `vitis_hls_commands.yaml`.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent

# What the list lacks, from UG835: `wait_on_run` (2020.1), and the named form of `set_property` (its examples).
SUPPLEMENT = {
    "wait_on_run": "wait_on_run [-timeout <arg>] [-quiet] [-verbose] <run>",
    "set_property": "set_property [-name <arg>] [-value <arg>] [-objects <args>] [-dict <args>] [-quiet] [-verbose]"
    " [<name>] [<value>] [<objects>...]",
    # Listed without brackets around what UG835's examples leave out.
    "apply_bd_automation": "apply_bd_automation -rule <arg> [-config <args>] [-dict <arg>] [-opts <arg>] [-quiet]"
    " [-verbose] <objects>...",
    "assign_bd_address": "assign_bd_address [-target_address_space <arg>] [-boundary] [-external] [-dict <arg>]"
    " [-offset <arg>] [-range <arg>] [-force] [-quiet] [-verbose] [<objects>...]",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a script: its output, and the mistakes that the stubs found."""

    output: str
    problems: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Vendor:
    """The installation that the stubs play."""

    parts: tuple[str, ...] = ()
    boards: tuple[tuple[str, str], ...] = ()
    version: str = "2024.1"
    slack: float = 0.1
    failing_run: str = ""
    generated: str = "gen"


def run_vivado(script: Path, top: str, vlnv: str, bundles: tuple[str, ...], vendor: Vendor) -> Outcome:
    """Run a Vivado script where it lies; the exported IP's folder must be there."""
    settings = {
        "VLNV": vlnv,
        "BUNDLES": " ".join(bundles),
        "BOARDS": " ".join(f"{board} {part}" for board, part in vendor.boards),
        "SLACK": str(vendor.slack),
        "FAILING": vendor.failing_run,
        "GENERATED": vendor.generated,
    }
    stubs = ("catalogue", "vivado", "design")
    return _run(script, top, syntax=_vivado_syntax(), settings=settings, vendor=vendor, stubs=stubs, environment={})


def run_vitis_hls(
    script: Path, top: str, vlnv: str, vendor: Vendor, steps: tuple[str, ...] = ("csim", "csynth", "export")
) -> Outcome:
    """Run a Vitis HLS script where it lies; the sources that it names must be there."""
    table = yaml.safe_load((HERE / "vitis_hls_commands.yaml").read_text())
    since = {name: {o: str(v) for o, v in entry.get("since", {}).items()} for name, entry in table.items()}
    settings = {"VLNV": vlnv, "VERSION": vendor.version, "STEPS": " ".join(steps), "SINCE": _tcl_dict(since)}
    asked = {"CONVMAKE_HLS_STEPS": " ".join(steps)}
    stubs = ("vitis_hls",)
    return _run(script, top, syntax=_hls_syntax(), settings=settings, vendor=vendor, stubs=stubs, environment=asked)


def _run(
    script: Path,
    top: str,
    *,
    syntax: str,
    settings: dict[str, str],
    vendor: Vendor,
    stubs: tuple[str, ...],
    environment: dict[str, str],
) -> Outcome:
    tclsh = shutil.which("tclsh")
    assert tclsh, "tclsh is missing: install the package tcl"
    settings = settings | {"SYNTAX": syntax, "TOP": top, "PARTS": " ".join(vendor.parts)}
    lines = [f"set {name} {{{value}}}" for name, value in settings.items()]
    lines += [f"source {{{HERE / 'stub' / name}.tcl}}" for name in ("common", *stubs)]
    lines.append(f"stub::run {{{script}}}")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CONVMAKE_")}
    done = subprocess.run(
        [tclsh],
        input="\n".join(lines),
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    problems = tuple(line.removeprefix("problem: ") for line in done.stderr.splitlines() if line)
    assert (done.returncode != 0) == bool(problems), done.stderr
    return Outcome(done.stdout, problems)


@functools.cache
def _vivado_syntax() -> str:
    found = importlib.util.find_spec("xilinx_language_server")
    assert found and found.origin, "the test prerequisite xilinx-language-server is missing: pip install -e .[test]"
    texts = json.loads((Path(found.origin).parent / "assets/json/vivado.json").read_text())
    syntax = {}
    for name, text in texts.items():
        section = re.search(r"^Syntax: ?\n(.*?)\n\n", text, re.S | re.M)
        if section:
            syntax[name] = _entry(section.group(1))
    return _tcl_dict(syntax | {name: _entry(line) for name, line in SUPPLEMENT.items()})


def _entry(line: str) -> dict[str, object]:
    """`create_bd_cell  [-vlnv <arg>] [-quiet] <name>` as flags, options with values, least and most arguments."""
    words = re.findall(r"\[?-\w+(?: <args?>)?\]?|\[?<\w+>\]?(?:\.\.\.)?\]?", line.partition(" ")[2])
    flags, values, required, least, most = [], {}, [], 0, 0
    for word in words:
        bare = word.strip("[].")
        if not bare.startswith("-"):
            least += not word.startswith("[")
            most = -1 if "..." in word or most < 0 else most + 1
        elif "<" in bare:
            values[bare.split()[0]] = ""
            required += [bare.split()[0]] if not word.startswith("[") else []
        else:
            flags.append(bare)
    # With -dict, set_property and friends take fewer positional arguments; the stub commands check them.
    least = 0 if "-dict" in values else least
    return {"flags": " ".join(flags), "values": values, "required": " ".join(required), "least": least, "most": most}


@functools.cache
def _hls_syntax() -> str:
    table = yaml.safe_load((HERE / "vitis_hls_commands.yaml").read_text())
    return _tcl_dict({name: _hls_entry(entry) for name, entry in table.items()})


def _hls_entry(entry: dict[str, object]) -> dict[str, object]:
    options = entry.get("options", {})
    least, most = entry["arguments"]
    flags = [name for name, kind in options.items() if kind == []]
    values = {name: "" if kind == "any" else " ".join(kind) for name, kind in options.items() if kind != []}
    return {"flags": " ".join(flags), "values": values, "required": "", "least": least, "most": most}


def _tcl_dict(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {{{_tcl_dict(inner)}}}" for name, inner in value.items())
    return str(value)
