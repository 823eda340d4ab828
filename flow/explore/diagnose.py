"""Why no design fits: the figures that decide, layer by layer, and for the whole device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.explore.finish import Finished
from flow.explore.limits import bounds_of
from flow.explore.space import Position, Space, Tensor
from flow.model.datasheet import Catalogue
from flow.model.performance import Performance
from flow.model.resources import RESOURCES
from flow.model.weight_memory import values_per_word
from flow.spec import Device

MOST_FIFOS = 3
"""FIFOs that an error lists."""
UNITS = {"dsp": "DSP", "bram18": "BRAM18", "uram": "URAM", "lut": "LUT", "ff": "FF"}


NAMED = 6
"""Layers that are named with their figures, the furthest over first; the others are counted."""


def no_design(space: Space) -> BuildError:
    """The error for a network that has no design within the limits."""
    problems = [*_layers(space), *_memory(space)]
    if not problems or (space.max_partitions == 1 and len(space.positions) > 1):
        problems.append(_partition(space))
    return BuildError(tuple(problems))


def _layers(space: Space) -> list[Problem]:
    """Layers whose smallest hardware is over a limit on its own, memory ports included."""
    found = []
    for position in space.positions:
        need = _smallest(space, position)
        over = [name for name in RESOURCES if need[name] > space.limits[name]]
        if over:
            worst = max(need[name] / max(space.limits[name], 1) for name in over)
            found.append((-worst, _layer(space, position, need, over)))
    problems = [problem for _, problem in sorted(found, key=lambda item: item[0])]
    if len(problems) <= NAMED + 1:
        return problems
    message = f"{len(problems) - NAMED} further layers do not fit alone either"
    return [*problems[:NAMED], Problem("DSE002", message, problems[0].hint)]


def _layer(space: Space, position: Position, need: Mapping[str, int], over: Sequence[str]) -> Problem:
    figures = ", ".join(f"{need[name]} {UNITS[name]} of {space.limits[name]}" for name in over)
    hint = "use a larger device, raise constraints.utilisation or lower the precision"
    if position.weighted and len(position.tables) == 1 and "bram18" in over:
        hint = "allow weights_reloading in the pipeline, or " + hint
    node = position.node
    message = f"layer '{node.name}' ({node.op.name}): its smallest folding needs {figures}"
    return Problem("DSE002", message, hint, node.origin)


def _smallest(space: Space, position: Position) -> Mapping[str, int]:
    """Least of each resource over all foldings, with the ports that a partition of this layer alone needs."""
    tables = position.tables.values()
    cost = np.min([space.rows.cost[t.start : t.stop].min(axis=0) for t in tables], axis=0)
    words = {"pixels": 1, "channels": 1, "data_bits": 8, "port_bits": space.memory.port_bits, "pixel_stride": 1}
    ports = [space.catalogue.evaluate("memory_read", words) for _ in {space.edges[e].tensor for e in position.edges}]
    ports.append(space.catalogue.evaluate("memory_write", words))
    return {name: int(cost[i]) + sum(int(p[name]) for p in ports) for i, name in enumerate(RESOURCES)}


def _memory(space: Space) -> list[Problem]:
    """Off-chip memory that even the least demanding cuts exceed."""
    capacity = space.memory.capacity_bytes
    largest = max(_ends(space), key=lambda t: _bytes(space, t.channels, t.pixels, t.bits))
    frame = _bytes(space, largest.channels, largest.pixels, largest.bits)
    layers = {
        p.node.name: _bytes(space, int(np.prod(p.node.op.parameters(p.inputs)["weight"])), 1, p.numbers.weight.bits)
        for p in space.positions
        if p.numbers.weight is not None
    }
    weights = sum(layers.values())
    if frame * space.batch + weights <= capacity:
        return []
    message = (
        f"off-chip memory holds {capacity / 1e9:.3g} GB; needed are {(frame * space.batch + weights) / 1e9:.3g} GB or "
        f"more: weights {weights / 1e9:.3g} GB, a batch of {space.batch} frames of '{largest.name}' "
        f"{frame * space.batch / 1e9:.3g} GB"
    )
    if weights >= capacity:
        most = max(layers, key=lambda name: layers[name])
        hint = f"the weights alone do not fit, most are of layer '{most}': lower their precision or use another device"
    else:
        hint = f"at most {(capacity - weights) // frame} frames fit: lower the batch or the precision"
    return [Problem("DSE003", message, hint)]


def _ends(space: Space) -> list[Tensor]:
    """Tensors that every design holds in memory."""
    return [t for t in space.tensors if t.producer < 0 or t.is_output]


def _bytes(space: Space, channels: int, pixels: int, bits: int) -> int:
    per_word = values_per_word(space.memory.port_bits, bits)
    return pixels * -(-channels // per_word) * space.memory.port_bits // 8


def _partition(space: Space) -> Problem:
    """Every layer fits alone: what forbids to put them on the device."""
    if space.max_partitions == 1:
        return _one_bitstream(space)
    largest = max(space.tensors, key=lambda t: _bytes(space, t.channels, t.pixels, t.bits))
    size = _bytes(space, largest.channels, largest.pixels, largest.bits) * space.batch
    message = (
        f"no cuts into at most {space.max_partitions} partitions keep all limits; a batch of {space.batch} frames of "
        f"'{largest.name}' takes {size / 1e9:.3g} GB of {space.memory.capacity_bytes / 1e9:.3g} GB"
    )
    return Problem("DSE005", message, "lower the batch, allow more partitions or a higher utilisation")


def out_of_reach(space: Space, wanted: float) -> BuildError | None:
    """The error for a frame rate that a bound forbids, whatever the design; None where none does."""
    bounds = bounds_of(space)
    most, binding = bounds.binding()
    if wanted <= most:
        return None
    asked = f"constraints.min_fps asks for {wanted:g} fps; "
    if binding != "bandwidth":
        message = f"{asked}no design on '{space.device.name}' is faster than {most:.4g} fps: {binding} binds"
        return BuildError(Problem("DSE009", message, "relax the constraint, or use a larger device or fewer bits"))
    moved = {t.name: 8 * _bytes(space, t.channels, t.pixels, t.bits) for t in _ends(space)}
    largest = max(moved, key=lambda name: moved[name])
    rate = min(space.memory.bits_per_second, space.memory.ports * space.memory.port_bits * space.clock_mhz * 1e6)
    message = (
        f"{asked}inputs and outputs then take {wanted * sum(moved.values()) / 1e9:.4g} Gb/s, most of it "
        f"'{largest}'; the memory sustains {rate / 1e9:.4g} Gb/s, which is enough for {most:.4g} fps"
    )
    hint = "relax the constraint, lower the precision of activations, or use a device with a faster memory"
    return BuildError(Problem("DSE008", message, hint))


def deep_fifos(built: Finished, catalogue: Catalogue) -> BuildError | None:
    """The error for a design that would fit but for its FIFOs; None if they are not to blame."""
    for part, figures in zip(built.hardware.partitions, built.performance.partitions, strict=True):
        limits = built.performance.resource_limits
        over = [n for n in RESOURCES if figures.resources[n] > limits[n]]
        if not over or any(figures.resources[n] - figures.fifos[n] > limits[n] for n in over):
            continue
        name = over[0]
        cost = {s.name: int(catalogue.fifo_cost(s.depth, s.lanes * s.bits)[name]) for s in part.streams}
        worst = sorted(part.streams, key=lambda s: (-cost[s.name], s.name))[:MOST_FIFOS]
        listed = "; ".join(
            f"'{s.tensor}' waits in {s.depth} words of {s.lanes * s.bits} bits, {cost[s.name]} {UNITS[name]}"
            for s in worst
        )
        message = (
            f"FIFOs of partition {figures.index} do not fit on chip: {figures.fifos[name]} {UNITS[name]} beside "
            f"{figures.resources[name] - figures.fifos[name]} of the layers, of {limits[name]}: {listed}"
        )
        hint = "allow a cut between the branches (such a tensor then waits off chip), or lower the precision"
        return BuildError(Problem("DSE010", message, hint))
    return None


def no_energy(device: Device) -> BuildError:
    """The error for `objective: energy` on a device without energy figures."""
    lacking = "energy" if device.energy is None else "its memory's pj_per_bit"
    message = f"objective is energy, but device '{device.name}' has no figures: {lacking} is missing"
    return BuildError(Problem("DSE011", message, "add them to the device's YAML, or choose another objective"))


def _one_bitstream(space: Space) -> Problem:
    """What all layers together need at least, and the layer that needs most of what is shortest."""
    least = np.array(
        [space.rows.cost[t.start : t.stop].min(axis=0) for t in (p.tables[1] for p in space.positions)]
    )  # fmt: skip
    limits = np.array([space.limits[name] for name in RESOURCES])
    total = least.sum(axis=0)
    shown = [i for i in range(len(RESOURCES)) if total[i] > limits[i]] or [
        i for i in range(len(RESOURCES)) if limits[i]
    ]
    shown.sort(key=lambda i: -total[i] / max(limits[i], 1))
    figures = ", ".join(f"{int(total[i])} {UNITS[RESOURCES[i]]} of {limits[i]}" for i in shown)
    short, largest = shown[0], int(np.argmax(least[:, shown[0]]))
    most = f"'{space.positions[largest].node.name}' alone {int(least[largest, short])} {UNITS[RESOURCES[short]]}"
    unchangeable = space.device.reconfiguration_s is None
    why = "the device cannot be reconfigured" if unchangeable else "only one partition is allowed"
    message = f"{why}, and the smallest foldings of all layers together need {figures}; {most}"
    hint = "use a larger device, a lower precision" + ("" if unchangeable else ", or allow partitions")
    node = space.positions[largest].node
    return Problem("DSE004", message, hint, node.origin)


def over_limits(performance: Performance) -> str:
    """What of a design is over its limit, with the figures."""
    return ", ".join(
        f"{used:g} {UNITS.get(name, name)} of {limit:g}" for name, (used, limit) in performance.excess().items()
    )


def unmet(name: str, wanted: float, reached: float, unit: str) -> BuildError:
    """The error for a constraint on the result that the best design misses."""
    message = f"constraints.{name} asks for {wanted:g} {unit}; the best design found reaches {reached:.6g} {unit}"
    return BuildError(Problem("DSE006", message, "relax the constraint, raise the utilisation or use a larger device"))
