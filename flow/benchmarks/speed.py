"""How fast the inner loops are, and how long a user waits for nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from flow.benchmarks.doit import doit
from flow.benchmarks.record import Record, at_most
from flow.benchmarks.rules import rewritten

REPEATS = 5


def speed(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """The integer emulator on full frames; a build with nothing to do."""
    records = [_emulated(root, name, goal) for name, goal in (("resnet18", 1.5), ("vgg16", 8.0))]
    doit(root, build_dir, "build", "spec=lenet5_zedboard")
    nothing = [doit(root, build_dir, "build", "spec=lenet5_zedboard").seconds for _ in range(REPEATS)]
    return [*records, at_most("a build with nothing to do, median", statistics.median(nothing), "s", 1.0)]


def _emulated(root: Path, network: str, goal: float) -> Record:
    from flow.frontend import build_layers
    from flow.numerics import emulate, quantise, seeded_frames
    from flow.spec import resolve

    spec = next(p for p in sorted((root / "specs").glob(f"{network}_*.yaml")))
    graph = rewritten(root, build_layers(resolve(spec, root).network))
    frames = seeded_frames(graph.inputs[0][1], 1, 0)
    realised = quantise(graph, lambda *_: (16, 16), frames)
    integers = realised.quantise_frames(frames)
    return at_most(f"emulate a frame of {network}", _median(lambda: emulate(realised, integers)), "s", goal)


def _median(action: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
