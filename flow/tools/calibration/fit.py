"""Non-negative least squares with few samples: what reports cannot tell apart keeps its prior proportions.

A module's cost is sum_j count_j * c_j. In units of the prior coefficients p_j and of each report's own figure y_s,

    A_sj = count_sj * p_j / y_s,   z_j = c_j / p_j,   A z = 1,   z >= 0

so residuals are relative errors and z = 1 is the prior. Terms with no count in any sample keep z = 1. Terms that span a
direction which no sample sees (the null space of A) share one z: their sum is known, their proportions are the prior's.
The rest is fitted beside the prior, whose stated error tau weighs as much as it says (Bayes with normal errors):

    min |A z - 1|^2 / sigma^2 + sum_j (z_j - 1)^2 / tau_j^2,   sigma: what the fit leaves, at least FLOOR
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

FLOOR = 0.002
"""Relative error that a report's figure has at least: it is a whole number."""
BLIND = 1e-9
"""A direction counts as unseen if its singular value is below this part of the largest."""
TOGETHER = 1e-6
"""Terms count as connected by an unseen direction if the projection on it links them by more than this."""
ROUNDS = 4
"""sigma and the fit determine each other."""
LEAST_PRIOR_ERROR = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """A coefficient after the fit.

    Attributes:
        value: what one unit costs; error: relative, of one standard deviation.
            Of terms that share a factor the sum is known better, the share of each as well as before.
        partners: terms that share its factor because no report tells them apart; seen: whether any report has it.
    """

    value: float
    error: float
    partners: tuple[str, ...]
    seen: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """One resource of one IP.

    Attributes:
        before: relative errors (RMS) of the prior's figures; left_out: of the fit, each sample predicted without it.
        worst: the largest of these; None where all samples are alike.
        kept: the prior was kept, since the fit does not predict better.
    """

    terms: dict[str, Told]
    samples: int
    before: float
    left_out: float | None
    worst: float | None
    kept: bool


def fit(names: tuple[str, ...], counts: Floats, used: Floats, prior: Floats, errors: Floats) -> Fit:
    """Fit one resource.

    Args:
        names: terms.
        counts: (samples, terms) units; used: (samples,) of the reports, above 0.
        prior: (terms,) coefficients, 0 or more; errors: (terms,) relative errors of them.
    """
    before = counts @ prior / used - 1
    scale, start = _scaled(counts, used, prior)
    design = counts * scale / used[:, None]
    tau = np.maximum(errors, LEAST_PRIOR_ERROR)
    # Modules that are all alike predict each other, and nothing else.
    several = len(np.unique(counts, axis=0)) > 1
    left = [_left_out(design, start, tau, s) for s in range(len(used))] if several else []
    rms = _rms(np.array(left)) if left else None
    kept = rms is not None and rms > _rms(before)
    z, deviation, groups = _solved(design, start, tau)
    seen: Booleans = np.asarray(design.any(axis=0))
    terms = {}
    for j, name in enumerate(names):
        partners = tuple(names[k] for k in groups[j] if k != j)
        if kept or not seen[j]:
            terms[name] = Told(float(prior[j]), float(errors[j]), (), bool(seen[j]))
        else:
            relative = max(deviation[j] / max(z[j], LEAST_PRIOR_ERROR), errors[j] if partners else 0.0)
            terms[name] = Told(float(z[j] * scale[j]), float(relative), partners, True)
    worst = float(np.max(np.abs(left))) if left else None
    return Fit(terms, len(used), _rms(before), rms, worst, kept)


def _scaled(counts: Floats, used: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Unit of every coefficient, and the prior in it; for a prior of 0, a tenth of what the term could take alone."""
    alone = 0.1 * used.mean() / np.maximum(counts.mean(axis=0), 1e-9)
    scale = np.where(prior > 0, prior, alone)
    return scale, prior / scale


def _left_out(design: Floats, start: Floats, tau: Floats, sample: int) -> float:
    """Relative error of one sample, predicted by the others."""
    others = np.arange(len(design)) != sample
    return float(design[sample] @ _solved(design[others], start, tau)[0] - 1)


def _solved(design: Floats, start: Floats, tau: Floats) -> tuple[Floats, Floats, list[tuple[int, ...]]]:
    """z and its standard deviation by term, and the group of every term."""
    from scipy.optimize import nnls

    groups = _groups(design)
    distinct = sorted(set(groups))
    columns = [(design[:, g] * start[list(g)]).sum(axis=1) if len(g) > 1 else design[:, g[0]] for g in distinct]
    merged = np.stack(columns, axis=1)
    origin = np.array([1.0 if len(g) > 1 else start[g[0]] for g in distinct])
    weight = np.array([float(np.mean(tau[list(g)])) for g in distinct])
    sigma, z = FLOOR, origin
    for _ in range(ROUNDS):
        rows = np.vstack([merged / sigma, np.diag(1 / weight)])
        z = nnls(rows, np.concatenate([np.full(len(design), 1 / sigma), origin / weight]))[0]
        free = max(len(design) - len(distinct), 1)
        sigma = max(FLOOR, float(np.sqrt(np.sum((merged @ z - 1) ** 2) / free)))
    deviation = np.sqrt(np.diag(np.linalg.inv(merged.T @ merged / sigma**2 + np.diag(1 / weight**2))))
    place = {g: i for i, g in enumerate(distinct)}
    shared = np.array([start[j] if len(g) > 1 else 1.0 for j, g in enumerate(groups)])
    return (
        np.array([z[place[g]] for g in groups]) * shared,
        np.array([deviation[place[g]] for g in groups]) * shared,
        groups,
    )


def _groups(design: Floats) -> list[tuple[int, ...]]:
    """For every term those that no sample tells apart from it, itself included."""
    count = design.shape[1]
    _, singular, right = np.linalg.svd(design, full_matrices=True)
    rank = int(np.sum(singular > BLIND * singular[0])) if singular.size and singular[0] > 0 else 0
    blind = right[rank:]
    linked = np.abs(blind.T @ blind) > TOGETHER
    seen: Booleans = np.asarray(design.any(axis=0))
    label = list(range(count))
    for a in range(count):
        for b in range(a):
            if linked[a, b] and seen[a] and seen[b] and label[a] != label[b]:
                label = [label[b] if value == label[a] else value for value in label]
    return [tuple(k for k in range(count) if label[k] == label[j]) for j in range(count)]


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
