"""Spaces and explorations of the tests, with the shipped data sheets and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.budget import Effort
from flow.explore.engine import Exploration, design_space, explore
from flow.explore.population import Population
from flow.explore.space import Space, build_space
from flow.explore.transform import Transform, load_transforms
from flow.ir import Graph
from flow.model.datasheet import load_catalogue
from flow.model.memory import memory_system
from flow.model.resources import limits
from flow.model.widths import numbers_of_widths
from flow.rewrite import Entry, RuleFolder
from flow.spec import Constraints, Device, Precision, Utilisation

Integers = npt.NDArray[np.int64]
ROOT = Path(__file__).parents[2]
EFFORT = tuple(f.name for f in fields(Effort))
STREAMED = (
    "coarse_folding", "fine_folding", "weights_placement", "partitioning", "weights_streaming", "weights_reloading",
)  # fmt: skip
"""All shipped transformations."""
SHIPPED = RuleFolder(ROOT / "rules" / "transform", "rules/transform")


def rules(*names: str, **options: Mapping[str, Any]) -> tuple[Transform, ...]:
    """Shipped transformations by name; all of them if none is named."""
    chosen = names or ("coarse_folding", "fine_folding", "weights_placement", "partitioning", "weights_reloading")
    return load_transforms([SHIPPED], [entry(name, **options.get(name, {})) for name in chosen])


def entry(rule: str, line: int = 1, **options: Any) -> Entry:
    """A line of a pipeline's section."""
    return Entry(rule, "", options, "own.yaml", line, 3)


def space_of(graph: Graph, device: Device, batch: int = 16, precision: Precision | None = None, *names: str) -> Space:
    memory, widths = memory_system(device), numbers_of_widths(graph, precision or Precision())
    catalogue = load_catalogue(ROOT / "ip_templates", device.dsp_type)
    usable = limits(device.resources, Utilisation())
    return build_space(graph, device, memory, catalogue, usable, widths, rules(*names), 125.0, batch, None)


def explored(graph: Graph, device: Device, batch: int = 16, **settings: Any) -> Exploration:
    clock = settings.pop("clock_mhz", 125.0)
    precision, constraints = settings.pop("precision", Precision()), settings.pop("constraints", Constraints())
    transforms = settings.pop("transforms", None) or rules()
    catalogue = load_catalogue(ROOT / "ip_templates", device.dsp_type)
    effort = Effort(**{name: settings.pop(name) for name in EFFORT if name in settings})
    space = design_space(graph, device, clock, batch, precision, constraints, transforms, catalogue)
    return explore(space, precision, constraints, effort=effort, **settings)


def random_population(space: Space, size: int, seed: int, reloading: bool, streaming: float = 0.0) -> Population:
    """Random cuts and foldings; `reloading` gives the last weighted layers of partitions random numbers of passes.

    `streaming`: share of the layers whose weights are streamed, where they can be.
    """
    random = np.random.default_rng(seed)
    length = len(space.positions)
    cuts, rows = np.zeros((size, length), bool), np.zeros((size, length), np.int64)
    for design in range(size):
        density = random.choice([0.0, 0.1, 0.5])
        for cut in space.cuts:
            cuts[design, cut] = random.random() < density
        for p, position in enumerate(space.positions):
            rows[design, p] = random.integers(position.tables[1].start, position.tables[1].stop)
        part = np.cumsum(cuts[design])
        if streaming:
            stream(space, part, rows[design], streaming, random)
        for p, position in enumerate(space.positions if reloading else ()):
            end = int(np.flatnonzero(part == part[p])[-1])
            if position.weighted and (end == p or end in position.tail):
                passes = random.choice(sorted(position.tables))
                if any(space.rows.slices[rows[design, q]] > 1 for q in range(p, end + 1)):
                    continue
                for q in range(p, end + 1):
                    table = space.positions[q].tables[passes]
                    rows[design, q] = random.integers(table.start, table.stop)
    return Population(cuts, rows)


def stream(space: Space, part: Integers, rows: Integers, share: float, random: np.random.Generator) -> None:
    """Give some layers, and the chains behind them, rows of random slices."""
    for p, position in enumerate(space.positions):
        if not (position.weighted and position.streams and random.random() < share):
            continue
        slices = random.choice(sorted(position.streams))
        q = p
        while q >= 0 and part[q] == part[p]:
            table = space.positions[q].streams[slices]
            rows[q] = random.integers(table.start, table.stop)
            q = space.positions[q].chain
