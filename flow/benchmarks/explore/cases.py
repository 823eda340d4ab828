"""One network on one device through `doit estimate` in a process of its own: what it found, and what that took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.benchmarks.record import Record

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a group works: the project, a build folder of its own, whom it tells of its progress; the user's graphs."""

    root: Path
    build_dir: Path
    say: Say
    networks: Path | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A spec: `network` is an ONNX file of the tests, a name in specs/networks, or declared layers."""

    name: str
    network: str
    device: str
    extra: str = ""

    def text(self, root: Path) -> str:
        onnx = root / "tests" / "data" / "networks" / f"light_{self.network}.onnx"
        if "\n" in self.network:
            network = "\n" + textwrap.indent(self.network, "  ")
        elif onnx.exists():
            quoted = str(onnx).replace("'", "''")
            network = f" {{onnx: '{quoted}'}}\n"
        else:
            network = f" {self.network}\n"
        conditions = "clock_mhz: 200\nbatch: 256\nconstraints: {utilisation: 0.9}\n"
        return f"network:{network}device: {self.device}\n{conditions}{self.extra}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A finished `doit estimate`; CPU seconds and peak memory are of the process and all that it started.

    The peak is an upper bound: a new process counts its parent's memory until it has its own.
    """

    case: Case
    status: int
    output: str
    cpu_s: float
    peak_mb: float
    folder: Path

    def read(self, name: str, folder: str = "explore") -> Any:
        """A JSON file of the build."""
        return json.loads((self.folder / folder / f"{name}.json").read_text(encoding="utf-8"))

    @property
    def error(self) -> str:
        """The first error, or the end of what was printed."""
        lines = [line for line in self.output.splitlines() if "error[" in line]
        return lines[0][-200:] if lines else self.output[-200:]

    def failed(self, what: str) -> Record:
        return Record(what, self.error, "", "a design", False)


def estimate(bench: Bench, case: Case, *options: str, environment: Mapping[str, str] | None = None) -> Estimate:
    """Run a case from nothing but the shared network artefacts' folder."""
    spec = write_spec(bench, case)
    bench.say(f"estimate {case.name}")
    command = (sys.executable, "-m", "doit", *options, "estimate", f"spec={spec}", f"build_dir={bench.build_dir}")
    log = bench.build_dir / f"{case.name}.log"
    with log.open("w+", encoding="utf-8") as out:
        variables = os.environ | dict(environment or {})
        with subprocess.Popen(command, cwd=bench.root, stdout=out, stderr=subprocess.STDOUT, env=variables) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read()
    folder = bench.build_dir / case.name
    cpu_s, peak_mb = used.ru_utime + used.ru_stime, used.ru_maxrss * _MAXRSS_BYTES / 1e6
    return Estimate(case, process.returncode, output, cpu_s, peak_mb, folder)


_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def write_spec(bench: Bench, case: Case) -> Path:
    """The case's spec; artefacts of an earlier run of it are removed, so that the search runs again."""
    import shutil

    spec = bench.build_dir / "specs" / f"{case.name}.yaml"
    spec.parent.mkdir(parents=True, exist_ok=True)
    spec.write_text(case.text(bench.root), encoding="utf-8")
    for left in (bench.build_dir / case.name, bench.build_dir / ".stamps" / "explore" / case.name):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
    return spec


def simulated_fps(found: Estimate) -> float | None:
    """Throughput of the chosen design if the paces of all its partitions are simulated, else None."""
    performance = found.read("performance")
    return float(performance["throughput_fps"]) if performance["kind"].get("interval") == "simulated" else None


def searched(found: Estimate, latency: bool = False) -> float:
    """The best that the search found, as modelled: frames a second, or seconds of a frame."""
    points = found.read("pareto")["points"]
    return float(min(p["latency_s"] for p in points) if latency else max(p["throughput_fps"] for p in points))
