"""The fit: known coefficients come back, and what samples cannot tell is said."""

from __future__ import annotations

import numpy as np
import pytest

from flow.tools.calibration.fit import fit

NAMES = ("module", "multiplier", "bit")
PRIOR = np.array([600.0, 60.0, 2.0])
ERRORS = np.full(3, 0.4)
TRUE = np.array([420.0, 71.0, 1.3])


def counts(samples: int, seed: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    multipliers = random.integers(1, 120, samples)
    return np.stack([np.ones(samples), multipliers, multipliers * random.integers(8, 40, samples)], axis=1)


def test_known_coefficients_come_back() -> None:
    table = counts(12)
    found = fit(NAMES, table, np.round(table @ TRUE), PRIOR, ERRORS)
    assert [found.terms[n].value for n in NAMES] == pytest.approx(TRUE, rel=0.01)
    assert found.before > 0.1 and found.left_out is not None and found.left_out < 0.005 and not found.kept
    assert all(told.seen and not told.partners and told.error < 0.02 for told in found.terms.values())


def test_the_stated_error_is_that_of_a_sample_left_out() -> None:
    table = counts(12)
    used = table @ TRUE * (1 + 0.1 * np.random.default_rng(5).standard_normal(12))
    found = fit(NAMES, table, used, PRIOR, ERRORS)
    own = []
    for s in range(12):
        kept = np.arange(12) != s
        others = fit(NAMES, table[kept], used[kept], PRIOR, ERRORS)
        own.append(table[s] @ [others.terms[n].value for n in NAMES] / used[s] - 1)
    assert found.left_out == pytest.approx(np.sqrt(np.mean(np.square(own))), rel=1e-9)
    assert found.worst == pytest.approx(np.max(np.abs(own)), rel=1e-9)
    assert 0.05 < found.left_out < 0.2


def test_terms_that_no_sample_tells_apart_keep_their_proportions() -> None:
    table = counts(10)
    table[:, 2] = 16 * table[:, 1]  # always 16 bits
    found = fit(NAMES, table, table @ TRUE, PRIOR, ERRORS)
    multiplier, bit = found.terms["multiplier"], found.terms["bit"]
    assert (multiplier.partners, bit.partners, found.terms["module"].partners) == (("bit",), ("multiplier",), ())
    assert multiplier.value / bit.value == pytest.approx(60 / 2)
    assert multiplier.error == bit.error == 0.4
    assert multiplier.value + 16 * bit.value == pytest.approx(71 + 16 * 1.3, rel=0.01)
    assert found.terms["module"].value == pytest.approx(420, rel=0.02)


def test_a_term_that_no_sample_has_stays_an_estimate() -> None:
    table = counts(10)
    table[:, 2] = 0
    found = fit(NAMES, table, table @ TRUE, PRIOR, ERRORS)
    assert (found.terms["bit"].value, found.terms["bit"].error, found.terms["bit"].seen) == (2.0, 0.4, False)
    assert found.terms["multiplier"].value == pytest.approx(71, rel=0.01)


def test_one_sample_scales_all_and_checks_nothing() -> None:
    table = counts(1)
    found = fit(NAMES, table, table @ TRUE, PRIOR, ERRORS)
    values = np.array([found.terms[n].value for n in NAMES])
    assert values / PRIOR == pytest.approx(np.full(3, values[0] / PRIOR[0]))
    assert table[0] @ values == pytest.approx(table[0] @ TRUE, rel=0.01)
    assert found.left_out is None and found.worst is None


def test_samples_that_are_all_alike_check_nothing() -> None:
    table = np.repeat(counts(1), 4, axis=0)
    assert fit(NAMES, table, table @ TRUE, PRIOR, ERRORS).left_out is None


def test_coefficients_are_never_negative() -> None:
    table = counts(12)
    found = fit(NAMES, table, table @ np.array([900.0, 10.0, 0.0]) - 40 * table[:, 1] * 0.2, PRIOR, ERRORS)
    assert all(told.value >= 0 for told in found.terms.values())


def test_noise_does_not_replace_better_estimates() -> None:
    """Two samples that contradict each other: each predicted by the other is worse than the prior."""
    table = counts(2)
    found = fit(NAMES, table, table @ PRIOR * np.array([1.3, 0.7]), PRIOR, ERRORS)
    assert found.kept and [found.terms[n].value for n in NAMES] == PRIOR.tolist()
