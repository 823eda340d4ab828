"""Data sheets: reading, evaluation, and every problem of a broken one."""

from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.model.datasheet import load_catalogue, read_datasheet

TEMPLATES = Path(__file__).parents[2] / "ip_templates"
SHEET = """
parameters: [pixels, channels, coarse]
derived:
  words: ceil_div(channels, coarse)
timing: {interval: pixels * words, fill: words - 1}
cost:
  dsp: 0
  lut: {formula: 10 + 1.5 * coarse, source: estimate, error: 40 %}
"""


def test_a_sheet_is_evaluated_for_values_and_for_arrays():
    sheet = read_datasheet("toy", SHEET)
    one = sheet.evaluate({"pixels": 4, "channels": 10, "coarse": 3}, "DSP48E1")
    assert one == {
        "interval": 16,
        "fill": 3,
        "drain": 1,
        "depth": 1,
        "dsp": 0,
        "bram18": 0,
        "uram": 0,
        "lut": 15,
        "ff": 0,
    }
    many = sheet.evaluate({"pixels": 4, "channels": 10, "coarse": np.array([3, 5])}, "DSP48E1")
    assert many["interval"].tolist() == [16, 8] and many["lut"].tolist() == [15, 18]


def test_every_problem_is_reported_at_once():
    broken = (
        SHEET.replace("pixels * words", "pixel * words").replace("lut:", "luts:").replace("channels, coarse)", "1)")
    )
    with pytest.raises(BuildError) as caught:
        read_datasheet("toy", broken)
    messages = [p.message for p in caught.value.problems]
    assert len(messages) == 3
    assert any("unknown name 'pixel'" in m for m in messages) and any("'luts'" in m for m in messages)


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "timing: 3", ""])
def test_what_is_no_sheet_is_an_error(text):
    with pytest.raises(BuildError):
        read_datasheet("toy", text)


def test_a_missing_parameter_is_named():
    with pytest.raises(BuildError, match="no value for parameter 'channels'"):
        read_datasheet("toy", SHEET).evaluate({"pixels": 4, "coarse": 3}, "DSP48E1")


def test_an_unknown_ip_is_named():
    with pytest.raises(BuildError, match="no data sheet of IP 'convolutoin'"):
        load_catalogue(TEMPLATES, "DSP48E1").evaluate("convolutoin", {})


CONVOLUTION = {
    "channels": 6, "filters": 8, "groups": 1, "in_d": 1, "in_h": 5, "in_w": 7, "out_d": 1, "out_h": 5, "out_w": 7,
    "kernel_d": 1, "kernel_h": 3, "kernel_w": 3, "stride_d": 1, "stride_h": 1, "stride_w": 1,
    "pad_d0": 0, "pad_h0": 1, "pad_w0": 1, "pad_d1": 0, "pad_h1": 1, "pad_w1": 1,
    "coarse_in": 4, "coarse_out": 3, "coarse_group": 1, "fine": 2, "data_bits": 16, "weight_bits": 16, "out_bits": 16,
    "acc_bits": 39, "shift": 0, "activation": 1, "clip_min": 0, "clip_max": 0, "alpha": 0, "port_bits": 64,
    "weights_memory": 0,
    "slices": 1,
    "tile": 1,
}  # fmt: skip


def test_convolution_by_hand():
    """7 x 9 padded positions of n = 2 words; 35 outputs, each held for m * q = 3 * 5 steps of each word."""
    figures = load_catalogue(TEMPLATES, "DSP48E1").evaluate("convolution", CONVOLUTION)
    assert figures["interval"] == 63 * 2 + 35 * 2 * (3 * 5 - 1)
    assert figures["dsp"] == 4 * 3 * 2


def test_other_modules_by_hand():
    catalogue = load_catalogue(TEMPLATES, "DSP48E1")
    common = {"pixels": 10, "channels": 7, "coarse": 3, "data_bits": 16}
    assert catalogue.evaluate("fork", common)["interval"] == 30
    sizes = {"pixels": 10, "channels": 7, "lanes_in": 2, "lanes_out": 4, "data_bits": 16}
    assert catalogue.evaluate("width_converter", sizes)["interval"] == 40
    port = {"pixels": 10, "channels": 7, "data_bits": 16, "port_bits": 64, "pixel_stride": 2}
    assert catalogue.evaluate("memory_read", port)["interval"] == 20
    product = {
        "pixels": 4, "channels": 7, "filters": 10, "coarse_in": 2, "coarse_out": 3, "data_bits": 16, "weight_bits": 16,
        "out_bits": 16, "acc_bits": 39, "shift": 0, "activation": 0, "clip_min": 0, "clip_max": 0, "alpha": 0,
        "port_bits": 64, "weights_memory": 0, "slices": 1, "tile": 1,
    }  # fmt: skip
    assert catalogue.evaluate("inner_product", product)["interval"] == 4 * 4 * 4
