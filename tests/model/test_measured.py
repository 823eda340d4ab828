"""What boards measured is what the model of their modules says; bounds are tight, so that a broken model fails."""

from dataclasses import replace

import pytest

from flow.diagnostics import BuildError
from flow.model.handmade.calibrate import HOST_US, fit, fit_host
from flow.model.handmade.design import HandDesign, Input, Layer
from flow.model.handmade.fifos import minimal_depth, skip_inputs, with_depth
from flow.model.handmade.resources import (
    FF_PER_MULTIPLIER,
    FF_PER_WINDOW_BIT,
    LUT_PER_MULTIPLIER,
    LUT_PER_WINDOW_BIT,
    cycles,
)
from flow.model.handmade.simulate import simulate
from tests.model.measured import NAMES, design, evaluation

FOUND = {
    "zc706_ic": (18496, 18496, 25519),
    "zc706_vww": (36864, 38844, 136426),
    "zedboard_ic": (32768, 34666, 50634),
    "zedboard_kws": (32000, 35290, 42445),
}
"""Interval of the closed form, simulated interval and cycles per inference: the figures of docs/measured.md."""


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_the_documentation(name: str) -> None:
    found = evaluation(name)
    simulated = found.simulation
    assert (found.interval_cycles, simulated.interval_cycles, simulated.latency_cycles) == FOUND[name]


@pytest.mark.parametrize("name", NAMES)
def test_an_inference_is_predicted_within_ten_per_cent(name: str) -> None:
    """With the one fitted constant; without it, below what was measured and within 15 per cent."""
    found, measured = evaluation(name), design(name).measured.cycles(design(name).clock_mhz)
    assert measured and abs(found.inference_cycles / measured - 1) < 0.1
    assert 0.85 < found.simulation.latency_cycles / measured < 1
    assert found.interval_cycles <= found.simulation.interval_cycles <= measured


@pytest.mark.parametrize(
    ("name", "dsp", "bram18"),
    [("zc706_ic", 508, 260), ("zc706_vww", 564, 352), ("zedboard_ic", 194, 104), ("zedboard_kws", 188, 113)],
)
def test_resources(name: str, dsp: int, bram18: int) -> None:
    ours, published = evaluation(name).resources, design(name).measured.resources
    assert (ours["dsp"], ours["bram18"]) == (dsp, bram18)
    assert min(abs(dsp / value - 1) for value, _ in published["dsp"]) < (0.09 if name.endswith("ic") else 1e-9)
    assert min(abs(bram18 / value - 1) for value, _ in published["bram"]) < 0.2
    assert abs(ours["lut"] / published["lut"][0][0] - 1) < 0.06


def test_coefficients_are_what_the_fit_gives() -> None:
    designs = [design(name) for name in NAMES]
    lut, ff = fit(designs, "lut"), fit(designs, "ff")
    assert lut.coefficients == pytest.approx((LUT_PER_MULTIPLIER, LUT_PER_WINDOW_BIT), rel=1e-3)
    assert ff.coefficients == pytest.approx((FF_PER_MULTIPLIER, FF_PER_WINDOW_BIT), rel=1e-3)
    assert max(map(abs, (*lut.errors, *ff.errors))) < 0.08


def test_the_host_s_part_is_what_the_fit_gives() -> None:
    designs = [design(name) for name in NAMES]
    predicted = [evaluation(name).simulation.latency_cycles for name in NAMES]
    measured = [d.measured.cycles(d.clock_mhz) or 0.0 for d in designs]
    assert fit_host(predicted, measured, [d.clock_mhz for d in designs]) == pytest.approx(HOST_US, rel=1e-2)


@pytest.mark.parametrize(("key", "factor"), [("coarse_out", 2), ("fine", 3)])
def test_another_folding_gives_other_figures(key: str, factor: int) -> None:
    """The slowest layer of the keyword spotter with half its lanes; a third of the window's multipliers."""
    original = design("zedboard_kws")
    slow = next(item for item in original.layers if item.op == "convolution" and getattr(item, key) > factor)
    fewer = replace(slow, **{key: getattr(slow, key) // factor})
    assert cycles(fewer) > cycles(slow)
    changed = replace(original, layers=tuple(fewer if item is slow else item for item in original.layers))
    if key == "coarse_out":  # the converter behind it follows
        behind = next(item for item in changed.layers if slow.name in {i.producer for i in item.inputs})
        narrow = replace(behind, coarse_in=fewer.lanes_out)
        changed = replace(changed, layers=tuple(narrow if item is behind else item for item in changed.layers))
    ours, before = simulate(changed), evaluation("zedboard_kws").simulation
    assert ours.latency_cycles > before.latency_cycles
    assert ours.interval_cycles >= before.interval_cycles


def chain(*layers: Layer) -> HandDesign:
    """A design whose layers each read the one before, through FIFOs of two words."""
    names = [layer.name for layer in layers]
    linked = [replace(layer, inputs=(Input(names[i - 1], 2),) if i else ()) for i, layer in enumerate(layers)]
    return HandDesign("chain", "zedboard", 100.0, tuple(linked))


def test_a_pointwise_layer_takes_a_word_a_cycle_and_its_pipeline() -> None:
    """8 channels, 8 filters in parallel, 16 pixels: 128 words at one a cycle, then multiplier, accumulator and port."""
    layer = Layer("c", "convolution", (8, 4, 4), (8, 4, 4), (), coarse_out=8)
    found = simulate(chain(layer))
    assert found.interval_cycles == 128
    assert 128 < found.latency_cycles < 140


def test_padding_costs_a_word_a_cycle() -> None:
    """3 x 3 over 8 x 8 with one channel: 100 padded positions set the pace, not 64 outputs."""
    layer = Layer("c", "convolution", (1, 8, 8), (1, 8, 8), (), (3, 3), (1, 1), (1, 1, 1, 1), fine=9)
    assert simulate(chain(layer)).interval_cycles == 100 == cycles(layer)


def test_filters_of_a_lane_come_one_after_the_other() -> None:
    """4 channels, 6 filters on 2 lanes, 3 of 9 multipliers: 16 pixels x 4 x 3 x 3 cycles."""
    layer = Layer("c", "convolution", (4, 4, 4), (6, 4, 4), (), (3, 3), (1, 1), (1, 1, 1, 1), coarse_out=2, fine=3)
    assert simulate(chain(layer)).interval_cycles == 16 * 4 * 3 * 3 == cycles(layer)


def test_a_converter_to_one_lane_sets_the_pace() -> None:
    wide = Layer("c", "convolution", (1, 4, 4), (8, 4, 4), (), coarse_out=8)
    narrow = Layer("s", "squeeze", (8, 4, 4), (8, 4, 4), (), coarse_in=8)
    assert simulate(chain(wide, narrow)).interval_cycles == 128 == cycles(narrow)


def test_a_pooling_waits_for_the_whole_frame() -> None:
    mean = Layer("g", "average_pooling", (4, 8, 8), (4, 1, 1), ())
    last = Layer("f", "inner_product", (4, 1, 1), (10, 1, 1), ())
    found = simulate(chain(mean, last))
    assert 256 <= found.interval_cycles < 256 + 40
    assert 256 + 40 <= found.latency_cycles < 256 + 55


def test_a_short_fifo_at_a_join_stops_the_design_and_names_who_waits() -> None:
    join, index = skip_inputs(design("zc706_ic"))[0]
    with pytest.raises(BuildError, match=r"SIM030.*wait for each other: .*Conv_25"):
        simulate(with_depth(design("zc706_ic"), join, index, 500))


def test_the_smallest_depth_is_the_smallest() -> None:
    """A skip around a 3 x 3 convolution over 6 x 6 with two channels."""
    split = Layer("s", "split", (2, 6, 6), (2, 6, 6), ())
    conv = Layer("c", "convolution", (2, 6, 6), (2, 6, 6), (Input("s", 2),), (3, 3), (1, 1), (1, 1, 1, 1), fine=9)
    conv = replace(conv, coarse_out=1)
    add = Layer("a", "eltwise", (2, 6, 6), (2, 6, 6), (Input("s", 2), Input("c", 2)))
    made = HandDesign("skip", "zedboard", 100.0, (split, conv, add))
    assert skip_inputs(with_depth(made, "a", 0, 9)) == (("a", 0),)
    depth = minimal_depth(made, "a", 0)
    enough, short = (simulate(with_depth(made, "a", 0, n)) for n in (depth, depth - 1))
    assert 16 <= depth <= 32  # a row and two pixels of two words, and what the window runs ahead
    assert (enough.latency_cycles, enough.interval_cycles) < (short.latency_cycles, short.interval_cycles)


def test_too_large_a_design_is_refused() -> None:
    huge = Layer("c", "convolution", (64, 2000, 2000), (64, 2000, 2000), (), coarse_out=64)
    with pytest.raises(BuildError, match="SIM031"):
        simulate(chain(huge))
