"""From a row of a population to a `Design`, and the population of one design."""

from __future__ import annotations

import numpy as np

from flow.explore.population import Population
from flow.explore.space import Space
from flow.explore.tables import PLACES
from flow.ir import Folding
from flow.model.hardware import Design, PartitionDesign, Streaming
from flow.model.weight_memory import BY_DEPTH


def decode(space: Space, population: Population, index: int) -> Design:
    """The design of row `index`, as `flow.model.lowering` reads it."""
    part, rows = population.part()[index], population.rows[index]
    partitions = []
    for number in range(int(part[-1]) + 1):
        inside = [p for p in range(len(space.positions)) if part[p] == number]
        names = {n for p in inside for n in (space.positions[p].node.name, *space.positions[p].aliases)}
        if number == 0:
            names |= _leading_aliases(space)
        foldings = {
            space.positions[p].node.name: Folding(*(int(v) for v in space.rows.folding[rows[p]])) for p in inside
        }
        placement = {
            space.positions[p].node.name: PLACES[place]
            for p in inside
            if (place := int(space.rows.placement[rows[p]])) != PLACES.index(BY_DEPTH)
        }
        streams = space.rows.streams
        streaming = {
            space.positions[p].node.name: Streaming(int(streams.slices[record]), int(streams.tile[record]))
            for p in inside
            if space.positions[p].weighted and (record := int(space.rows.sliced[rows[p]]))
        }
        reloaded = [p for p in inside if space.positions[p].weighted and space.rows.passes[rows[p]] > 1]
        passes = int(space.rows.passes[rows[reloaded[-1]]]) if reloaded else 1
        ordered = tuple(n.name for n in space.graph.nodes if n.name in names)
        name = space.positions[reloaded[-1]].node.name if reloaded else None
        partitions.append(PartitionDesign(ordered, foldings, passes, name, placement=placement, streaming=streaming))
    return Design(space.graph.name, space.device.name, space.clock_mhz, space.batch, tuple(partitions))


def _leading_aliases(space: Space) -> set[str]:
    """Nodes without hardware that hang on the network's inputs."""
    known = {n for p in space.positions for n in (p.node.name, *p.aliases)}
    return {n.name for n in space.graph.nodes if n.name not in known}


def encode(space: Space, design: Design) -> Population:
    """The population that holds `design` alone; ValueError if a folding has no row (it was not worth tabulating)."""
    cuts = np.zeros((1, len(space.positions)), bool)
    rows = np.zeros((1, len(space.positions)), np.int64)
    home = {name: i for i, part in enumerate(design.partitions) for name in part.nodes}
    for p, position in enumerate(space.positions):
        part = design.partitions[home[position.node.name]]
        cuts[0, p] = p > 0 and home[position.node.name] != home[space.positions[p - 1].node.name]
        chain = part.weights_reloading if _in_chain(space, p, part) else 1
        table, folding = position.tables[chain], part.foldings[position.node.name]
        streaming = _streaming(space, p, part)
        if streaming is not None:
            table = position.streams[streaming.slices]
        wanted = np.array([folding.coarse_in, folding.coarse_out, folding.coarse_group, folding.fine])
        place = PLACES.index(part.placement.get(position.node.name, BY_DEPTH))
        same = (space.rows.folding[table.start : table.stop] == wanted).all(axis=1)
        same &= space.rows.placement[table.start : table.stop] == place
        if streaming is not None and position.weighted:
            same &= space.rows.streams.tile[space.rows.sliced[table.start : table.stop]] == streaming.tile
        hits = np.flatnonzero(same)
        if not hits.size:
            raise ValueError(f"'{position.node.name}': folding {folding.as_json()} is not tabulated")
        rows[0, p] = table.start + hits[0]
    return Population(cuts, rows)


def _in_chain(space: Space, p: int, part: PartitionDesign) -> bool:
    if part.reloaded is None:
        return False
    first = next(i for i, q in enumerate(space.positions) if q.node.name == part.reloaded)
    return p == first or p in space.positions[first].tail


def _streaming(space: Space, p: int, part: PartitionDesign) -> Streaming | None:
    """Whose slices a position sees."""
    for first, position in enumerate(space.positions):
        streaming = part.streaming.get(position.node.name)
        if streaming is not None and p in space.chain(first, p) and position.node.name in part.nodes:
            return streaming
    return None
