"""The terminal's tables."""

from dataclasses import replace

from flow.report import terminal_table
from tests.report import sample

VGG16 = sample.inputs(sample.vgg16(), (4, 7, 12, 18), "vgg16_zc706", 256, passes=4)


def test_says_the_headline_with_its_kind() -> None:
    text = terminal_table(VGG16)
    assert "vgg16_zc706: vgg16 on zc706, 125 MHz, batch 256, 15.5 GMAC a frame" in text
    line = next(line for line in text.splitlines() if line.startswith("throughput"))
    assert "4.55 fps" in line and "modelled" in line and "91.0 % of the DSP bound" in line
    assert "bit-exact" in text and "806" in text and "fc6" in text


def test_energy_is_an_estimate_with_its_error() -> None:
    (line,) = (line for line in terminal_table(VGG16, width=140).splitlines() if line.startswith("energy"))
    assert "800 mJ a frame" in line and "modelled" in line and "± 60.0 %" in line and "45.0 % of it logic" in line
    without = dict(VGG16.performance) | {"energy_per_frame_j": None, "power_w": None}
    assert "energy" not in terminal_table(replace(VGG16, performance=without))


def test_a_memory_without_limit_has_no_share() -> None:
    assert "of 1.00 GB" in terminal_table(VGG16)
    public = terminal_table(replace(VGG16, performance=dict(VGG16.performance) | {"memory_limit_gb": 100_000}))
    assert "100,000 GB" not in public and "moving 11.3 Gb/s" in public


def test_fits_its_width_and_has_no_styles() -> None:
    for width in (80, 100, 140):
        text = terminal_table(VGG16, width=width)
        assert max(len(line) for line in text.splitlines()) <= width
        assert "\x1b" not in text and not any(line.endswith(" ") for line in text.splitlines())
    assert "\x1b[" in terminal_table(VGG16, colour=True)


def test_names_are_neither_markup_nor_control_sequences() -> None:
    layers = tuple(dict(item) | {"node": "[red]\x1b[31mx[/red]"} for item in VGG16.layers)
    text = terminal_table(replace(VGG16, layers=layers))
    assert "[red]\N{REPLACEMENT CHARACTER}[31mx[/red]" in text and "\x1b" not in text


def test_many_partitions_are_cut() -> None:
    deep = sample.inputs(sample.deep(110), tuple(range(3, 110, 3)), "deep_u50", 64, passes=8)
    text = terminal_table(deep)
    assert "the 12 that take longest of 37" in text and len(text.splitlines()) < 60


def test_over_a_limit() -> None:
    performance = dict(VGG16.performance)
    performance["resources"] = dict(performance["resources"]) | {"dsp": 900}
    assert "█ over" in terminal_table(replace(VGG16, performance=performance))
    assert "█ over" not in terminal_table(VGG16)


def test_not_simulated() -> None:
    assert "not simulated" in terminal_table(replace(VGG16, verification=None))
