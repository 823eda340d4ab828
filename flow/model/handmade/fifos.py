"""Smallest FIFO depths at the joins of a hand-written design that cost no cycle, found by simulation."""

from __future__ import annotations

from dataclasses import replace

from flow.diagnostics import BuildError
from flow.model.handmade.design import HandDesign, Layer
from flow.model.handmade.simulate import simulate

ROOMY = 1 << 20
"""Words that no join of a frame on chip needs."""


def with_depth(design: HandDesign, join: str, index: int, depth: int) -> HandDesign:
    """The design with another depth for one input of a layer."""

    def changed(layer: Layer) -> Layer:
        inputs = [replace(item, depth=depth) if i == index else item for i, item in enumerate(layer.inputs)]
        return replace(layer, inputs=tuple(inputs)) if layer.name == join else layer

    return replace(design, layers=tuple(changed(layer) for layer in design.layers))


def minimal_depth(design: HandDesign, join: str, index: int) -> int:
    """Smallest depth of one input of a join with the latency and interval of an unbounded one; bisection.

    A deeper FIFO never delays a word, so what holds at one depth holds above it.
    """
    roomy = simulate(with_depth(design, join, index, ROOMY))
    wanted = roomy.latency_cycles, roomy.interval_cycles
    low, high = 0, max(words for (_, consumer), words in roomy.peaks.items() if consumer == join)
    while low < high:
        middle = (low + high) // 2
        if _times(with_depth(design, join, index, middle)) == wanted:
            high = middle
        else:
            low = middle + 1
    return high


def skip_inputs(design: HandDesign) -> tuple[tuple[str, int], ...]:
    """(layer, input) of every join's deeper FIFO."""
    joins = [layer for layer in design.layers if len(layer.inputs) > 1]
    return tuple((j.name, max(range(len(j.inputs)), key=lambda i, j=j: j.inputs[i].depth)) for j in joins)  # type: ignore[misc]


def _times(design: HandDesign) -> tuple[int, int] | None:
    """Latency and interval; None if the design comes to a stop."""
    try:
        found = simulate(design)
    except BuildError:
        return None
    return found.latency_cycles, found.interval_cycles
