"""The energy of a frame against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.ir import Folding
from flow.model.hardware import PartitionDesign
from flow.model.performance import Performance
from tests.explore import devices
from tests.model.test_performance import MHZ, TWO, both, figures, split

MACS = (64 * 9 * 4 * 4, 64 * 9 * 4 * 6)
"""Of TWO's layers: 8 x 8 pixels, windows of 9, 4 to 4 to 6 channels; 16 x 16 bits."""


def parts(result: Performance) -> dict[str, float]:
    assert result.energy is not None
    return dict(result.energy.parts)


def test_one_bitstream_pays_for_time_products_logic_and_its_frames() -> None:
    result = figures(TWO, both(), 8)
    (part,), energy, cost = result.partitions, parts(result), devices.ENERGY
    assert energy["static"] == pytest.approx(cost.static_w / result.throughput_fps)
    assert energy["products"] == pytest.approx(sum(MACS) * cost.mac_pj * 1e-12)
    a_cycle = (part.resources["lut"] * cost.lut_pj + part.resources["bram18"] * cost.bram18_pj) * 1e-12
    assert energy["logic"] == pytest.approx(a_cycle * part.time_s * MHZ * 1e6 / 8)
    # 64 + 128 words of 64 bits, the weights stay on chip.
    assert energy["off_chip"] == pytest.approx(192 * 64 * 54e-12)
    shown = result.as_json()
    assert shown["energy_per_frame_j"] == pytest.approx(sum(energy.values()))
    assert shown["power_w"] == pytest.approx(sum(energy.values()) * result.throughput_fps)
    assert shown["kind"]["energy"] == "modelled" and shown["energy_error"] == cost.error


def test_partitions_pay_for_weights_bitstreams_and_the_time_to_load_them() -> None:
    result, one = figures(TWO, split(), 8), figures(TWO, both(), 8)
    energy = parts(result)
    assert energy["static"] == pytest.approx(devices.ENERGY.static_w / result.throughput_fps)
    assert energy["products"] == parts(one)["products"]
    words = sum(p.frame_words for p in result.partitions) * 8 + sum(
        w for p in result.partitions for w in p.weight_words
    )
    assert energy["off_chip"] == pytest.approx((words * 64 + 2 * 1_000_000) * 54e-12 / 8)


def test_what_stands_before_a_reloaded_layer_works_in_every_pass() -> None:
    assert parts(figures(TWO, both(2), 8))["products"] == pytest.approx(
        (2 * MACS[0] + MACS[1]) * devices.ENERGY.mac_pj * 1e-12
    )


def test_more_hardware_costs_more_in_the_same_time() -> None:
    (small,) = both()
    wide = PartitionDesign(small.nodes, {**small.foldings, "n0": Folding(4, 4, 1, 9)})
    first, second = figures(TWO, (small,), 8), figures(TWO, (wide,), 8)
    assert first.partitions[0].interval_cycles == second.partitions[0].interval_cycles
    assert parts(second)["logic"] > parts(first)["logic"]


def test_without_figures_of_the_device_there_is_no_estimate() -> None:
    device = replace(devices.device(100, 100, 100_000, reconfiguration_s=0.5), energy=None)
    shown = figures(TWO, both(), 8, device).as_json()
    assert shown["energy_per_frame_j"] is None and shown["power_w"] is None
    assert "energy" not in shown["kind"]
