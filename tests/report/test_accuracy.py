"""Resources say how far they can be believed, in the terminal and on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flow.report import ReportInputs, terminal_table
from flow.report.accuracy import coefficients, tiles
from flow.report.page import render_page
from tests.report import sample


def changed(**figures: Any) -> ReportInputs:
    inputs = sample.inputs()
    return replace(inputs, performance={**inputs.performance, **figures})


def test_exact_and_modelled_resources_are_told_apart() -> None:
    rows = {line.split()[0]: line for line in terminal_table(sample.inputs()).splitlines() if line.split()}
    assert "exact" in rows["dsp"] and "±40 %" in rows["lut"] and "±47 %" in rows["ff"]
    assert "of 36 Kb" in rows["bram18"]
    assert "LUT ±40 % and FF ±47 % are estimates until `doit calibrate`" in terminal_table(sample.inputs())
    assert "LUT ±40 % and FF ±47 % are estimates until" in render_page(sample.inputs())


def test_own_coefficients_and_factors_are_named() -> None:
    record = {"file": "own.yaml", "digest": "12ab" * 16, "source": "fit", "factors": {"lut": 1.3, "ff": 1.0}}
    assert coefficients(changed(calibration=record).performance) == (
        "LUT ±40 % and FF ±47 % as calibrated by own.yaml (12ab12ab12ab), LUT × 1.3"
    )


def test_tiles_are_rounded_up() -> None:
    resources = sample.inputs().performance["resources"]
    assert tiles(changed(resources=resources | {"bram18": 7}).performance, "bram18") == "4 of 36 Kb"


def test_without_errors_nothing_is_claimed() -> None:
    """Designs of other modules state none."""
    bare = sample.inputs()
    stated = ("resource_errors", "calibration", "energy_per_frame_j")
    kept = {k: v for k, v in bare.performance.items() if k not in stated} | {"energy_per_frame_j": None}
    said = terminal_table(replace(bare, performance=kept))
    assert " exact" not in said and "±" not in said and "until" not in said
