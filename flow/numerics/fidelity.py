"""How well integers stand for floats: noise, agreement, accuracy with its uncertainty, and whether values are alive."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flow.fixed_point import Format
from flow.ir import Array, Graph
from flow.numerics.frames import blocks
from flow.numerics.realise import Realised, integer_compute
from flow.numerics.walk import INTEGER_BYTES, float_compute, frames_at_a_time, inputs_of, walk

EXACT_DB = 300.0
"""Signal-to-noise ratio that stands for "no difference at all"."""

SAMPLE = 4096
"""Values that are compared for being distinct: many more must repeat in any 16-bit tensor, dead or alive."""

NORMAL_95 = 1.959963984540054
"""Quantile of the normal distribution of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of right answers with its 95 % interval (Wilson's, E. B. Wilson 1927)."""

    correct: int
    frames: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether a compared tensor says anything.

    Attributes:
        values: how many were compared.
        distinct: different values as a share of what there could be: all of an even sample of at most `SAMPLE`, or all
            that the width holds.
        saturated: share at either end of the format's range.
    """

    values: int
    distinct: float
    saturated: float

    @property
    def degenerate(self) -> bool:
        """Fewer than half of the values distinct, or 1 % and more saturated."""
        return self.distinct < 0.5 or self.saturated >= 0.01


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Integers against floats on the same frames; `accuracy` of floats and integers is None without labels.

    `sqnr_db` has every tensor, `liveness` every output; `classes` is how many classes the float network answers with.
    """

    frames: int
    sqnr_db: Mapping[str, float]
    top1_agreement: float
    classes: int
    liveness: Mapping[str, Liveness]
    float_accuracy: Accuracy | None
    accuracy: Accuracy | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def sqnr_db(reference: Array, values: Array) -> float:
    """10 log10 of the reference's energy over the difference's; `EXACT_DB` at most."""
    exact = reference.astype(np.float64)
    return ratio_db(float(np.sum(exact**2)), float(np.sum((exact - values) ** 2)))


def ratio_db(signal: float, noise: float) -> float:
    if noise == 0:
        return EXACT_DB
    return min(EXACT_DB, 10 * math.log10(signal / noise)) if signal else -EXACT_DB


def wilson(correct: int, frames: int) -> Accuracy:
    """Share and interval of `correct` out of `frames`, which must be positive."""
    share, z2 = correct / frames, NORMAL_95**2
    centre = (share + z2 / (2 * frames)) / (1 + z2 / frames)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / frames + z2 / (4 * frames**2)) / (1 + z2 / frames)
    return Accuracy(correct, frames, share, max(0.0, centre - half), min(1.0, centre + half))


def top1(scores: Array) -> Array:
    """Index of the largest score of each frame (N, ...); the first of equal ones."""
    answers: Array = np.argmax(scores.reshape(len(scores), -1), axis=1)
    return answers


def accuracy(scores: Array, labels: Array) -> Accuracy:
    return wilson(int(np.sum(top1(scores) == labels)), len(labels))


def liveness(integers: Array, fmt: Format) -> Liveness:
    ends = int(np.sum(integers == fmt.lowest) + np.sum(integers == fmt.highest))
    sample = integers.reshape(-1)[:: -(-integers.size // SAMPLE)]
    possible = min(sample.size, 2**fmt.bits)
    return Liveness(integers.size, len(np.unique(sample)) / possible, ends / integers.size)


def measure(
    graph: Graph, realised: Realised, frames: Array | Mapping[str, Array], labels: Array | None = None
) -> Fidelity:
    """Run floats and integers side by side; `graph` is the realised graph with its float weights.

    Top-1 figures are those of the first output.
    """
    signal, noise, ours, theirs = _side_by_side(graph, realised, inputs_of(graph, frames))
    first = graph.outputs[0]
    answers, reference = top1(ours[first]), top1(theirs[first])
    formats = realised.formats.tensors
    return Fidelity(
        frames=len(answers),
        sqnr_db={name: ratio_db(signal[name], noise[name]) for name in signal},
        top1_agreement=float(np.mean(answers == reference)),
        classes=len(np.unique(reference)),
        liveness={name: liveness(values, formats[name]) for name, values in ours.items()},
        float_accuracy=None if labels is None else accuracy(theirs[first], labels),
        accuracy=None if labels is None else accuracy(ours[first], labels),
    )


def _side_by_side(
    graph: Graph, realised: Realised, frames: Mapping[str, Array]
) -> tuple[dict[str, float], dict[str, float], dict[str, Array], dict[str, Array]]:
    """Energies of every tensor and of its error; outputs of integers and floats. One block is held at a time."""
    signal, noise = dict.fromkeys(graph.shapes(), 0.0), dict.fromkeys(graph.shapes(), 0.0)
    ours: dict[str, list[Array]] = {name: [] for name in graph.outputs}
    theirs: dict[str, list[Array]] = {name: [] for name in graph.outputs}
    size = frames_at_a_time(graph, 2 * INTEGER_BYTES)
    for block in blocks(len(next(iter(frames.values()))), size):
        given = {name: values[block] for name, values in frames.items()}
        floats = walk(graph, given, float_compute(graph))
        integers = walk(realised.graph, realised.quantise_frames(given), integer_compute(realised))
        for (name, exact), (_, value) in zip(floats, integers, strict=True):
            reference = exact.astype(np.float64)
            signal[name] += float(np.sum(reference**2))
            noise[name] += float(np.sum((reference - realised.formats.tensors[name].real(value)) ** 2))
            if name in ours:
                ours[name].append(value)
                theirs[name].append(exact)
    return signal, noise, _joined(ours), _joined(theirs)


def _joined(parts: Mapping[str, Sequence[Array]]) -> dict[str, Array]:
    return {name: np.concatenate(values) for name, values in parts.items()}
