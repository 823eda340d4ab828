"""The generated host program in a process of its own, on the virtual board; what comes out against the emulator."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.ir import Array
from flow.numerics import Realised, emulate
from flow.tools.simulation.compare import difference
from flow.tools.virtual.device import make_device

_RUN_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class BoardRun:
    """A batch of frames through the host program; every output was equal to the emulator's.

    Attributes:
        labels: place of the largest value of the first output, a frame each.
        configurations, passes: that the schedule asks for.
    """

    frames: int
    labels: tuple[int, ...]
    partitions: int
    configurations: int
    passes: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": "simulated", "board": "virtual", "equals_emulator": True}


def run_board(out: Path, realised: Realised, frames: Mapping[str, Array]) -> tuple[BoardRun, float]:
    """Compile the partitions of the build in `out`, run frames through them; the run, and the host's seconds.

    Args:
        frames: floats (N, C, *spatial) by input, as the network was trained on.

    Raises:
        BuildError: BOARD001 with what the host program says, BOARD002 if an output differs; TOOL00x from the compiler.
    """
    plan = json.loads((out / "schedule.json").read_text(encoding="utf-8"))
    partitions = len({s["partition"] for s in plan["steps"]})
    for index in range(partitions):
        make_device(out, index)
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        images, results = Path(folder) / "images.npz", Path(folder) / "results.npz"
        write_images(images, frames)
        start = time.perf_counter()
        host_program(out, images, "--board", "virtual", "--out", results)
        seconds = time.perf_counter() - start
        with np.load(results, allow_pickle=False) as found:
            outputs = {name: found[f"integers_{k}"] for k, name in enumerate(realised.graph.outputs)}
            labels = tuple(int(label) for label in found["labels"])
    check_outputs(outputs, realised, frames)
    batches = -(-len(labels) // plan["batch"])
    run, again = ([s["action"] for s in plan[k]] for k in ("steps", "steady_state"))
    counts = {a: run.count(a) + (batches - 1) * again.count(a) for a in ("configure", "run")}
    return BoardRun(len(labels), labels, partitions, counts["configure"], counts["run"]), seconds


def write_images(path: Path, frames: Mapping[str, Array]) -> None:
    """An .npz of float32 arrays under any names: `numpy.savez` takes names as keywords, of which it has some itself."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in frames.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(values, np.float32), allow_pickle=False)


def host_program(out: Path, *words: str | Path) -> str:
    """Run `host/run.py` of a build as a user would; what it says. BOARD001 with its message if it fails."""
    command = (sys.executable, "-B", str(out / "host" / "run.py"), *map(str, words))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(Problem("BOARD001", f"the host program took more than {_RUN_S:.0f} s")) from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        first = next((line for line in said if line.startswith("error")), said[-1])
        raise BuildError(Problem("BOARD001", f"the host program stopped: {first}"))
    return done.stdout


def check_outputs(outputs: Mapping[str, Array], realised: Realised, frames: Mapping[str, Array]) -> None:
    """BOARD002 for every output that is not the emulator's in every bit."""
    wanted = emulate(realised, realised.quantise_frames(frames))
    problems = []
    for name in realised.graph.outputs:
        found = difference(outputs[name], wanted[name])
        if found is not None:
            message = f"'{name}' differs from the emulator in {found.wrong} of {found.values} values by {found.largest}"
            problems.append(Problem("BOARD002", f"{message}; first in frame {found.first[0]}"))
    if problems:
        raise BuildError(tuple(problems))
