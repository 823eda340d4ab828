"""On networks of two and three layers every design is evaluated: the search must find the best of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from flow.benchmarks.explore.cases import Bench, Case, estimate, searched
from flow.benchmarks.explore.spaces import space_of_spec
from flow.benchmarks.record import Record
from flow.explore.population import Population, evaluate_population
from flow.explore.space import Space

PIECE = 20_000
SMALL: tuple[tuple[str, tuple[int, ...], tuple[int, int, int], str], ...] = (
    ("two layers", (4, 6), (3, 8, 8), "{dsp: 22, bram18: 44, lut: 13400, ff: 26700}"),
    ("two layers, more room", (4, 6), (3, 8, 8), "{dsp: 66, bram18: 66, lut: 33400, ff: 66700}"),
    ("two layers, reloading", (8, 6), (2, 6, 6), "{dsp: 44, bram18: 16, lut: 33400, ff: 66700}"),
    ("three layers", (3, 4, 2), (2, 6, 6), "{dsp: 33, bram18: 56, lut: 15600, ff: 31200}"),
)
"""Name, filters of the 3 x 3 convolutions, shape of the input, resources of the device."""
_DEVICE = """{{
  part: xc7z010clg400-1, family: zynq7000, resources: {resources}, dsp_type: DSP48E1, host: linux, clock_guide_mhz: 200,
  reconfiguration_s: 1.0e-6, source: "made up for an exhaustive search",
  memories: [{{kind: ps, capacity_gb: 1.073, bandwidth_gbps: 34.1, efficiency: 0.75, ports: 4, port_bits: 64,
              max_burst: 16, survives_reconfiguration: true}}]}}"""


def brute(bench: Bench) -> list[Record]:
    """Both objectives of every small network."""
    return [
        _agreement(bench, f"brute: {name}, {objective}", small_case(number, filters, shape, resources, objective))
        for number, (name, filters, shape, resources) in enumerate(SMALL)
        for objective in ("throughput", "latency")
    ]


def small_case(number: int, filters: Sequence[int], shape: Sequence[int], resources: str, objective: str) -> Case:
    layers = [f"  - conv: {{filters: {f}, kernel: 3, pad: 1, activation: relu}}" for f in filters]
    network = "\n".join([f"input: {list(shape)}", "weights: {seed: 0}", "layers:", *layers, ""])
    device = _DEVICE.format(resources=resources)
    return Case(f"brute_{number}_{objective}", network, device, f"objective: {objective}\n")


def _agreement(bench: Bench, what: str, case: Case) -> Record:
    """By the model: what is reported of the chosen design is simulated."""
    found, latency = estimate(bench, case), case.name.endswith("latency")
    if found.status:
        return found.failed(what)
    seconds, designs = best_of_all(space_of_spec(bench, bench.build_dir / "specs" / f"{case.name}.yaml"), latency)
    best = searched(found, latency)
    reached = best if latency else found.read("performance")["batch"] / best
    equal = abs(reached - seconds) <= 1e-8 * seconds
    return Record(f"{what}: best of {designs} designs over found", seconds / reached, "", "1", equal, "modelled")


def best_of_all(space: Space, latency: bool) -> tuple[float, int]:
    """Seconds of the best design of a chain of weighted layers, and how many there are."""
    best, count = np.inf, 0
    for population in every_design(space):
        for start in range(0, len(population.rows), PIECE):
            figures = evaluate_population(space, population.take(slice(start, start + PIECE)))
            seconds = figures.latency_s if latency else figures.total_s
            best = min(best, float(seconds[figures.violation == 0].min(initial=np.inf)))
        count += len(population.rows)
    return best, count


def every_design(space: Space) -> Iterator[Population]:
    """All cuts, foldings, and numbers of passes of each partition's last layer; a population for each set of cuts."""
    length = len(space.positions)
    for cut in itertools.product((False, True), repeat=len(space.cuts)):
        mask = np.zeros(length + 1, bool)
        mask[list(itertools.compress(space.cuts, cut))] = True
        mask[length] = True
        choices = []
        for p, position in enumerate(space.positions):
            tables = position.tables.values() if mask[p + 1] else [position.tables[1]]
            choices.append(np.concatenate([np.arange(t.start, t.stop) for t in tables]))
        rows = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, length)
        yield Population(np.repeat(mask[None, :length], len(rows), axis=0), rows)
