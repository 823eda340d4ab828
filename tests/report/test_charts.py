"""Geometry: what is drawn lies inside its picture, in order, and in proportion."""

import pytest

from flow.report.analysis import bottlenecks, intervals
from flow.report.axis import Axis, from_zero, round_step
from flow.report.charts import WIDTH, gantt, scatters
from flow.report.pipeline import picture
from flow.report.records import layer, partition_times, point
from flow.report.text import count, percent, scaled, seconds, shorten, shown, significant
from tests.report import sample

VGG16 = sample.inputs(sample.vgg16(), (4, 7, 12, 18), "vgg16_zc706", 256, passes=4)
TIMES = partition_times(VGG16.performance, VGG16.design)


def test_a_batch_runs_from_left_to_right() -> None:
    chart = gantt(TIMES)
    end = float(chart.left)
    for row, time in zip(chart.rows, TIMES, strict=True):
        for segment in row.segments:
            assert segment.x == pytest.approx(end, abs=1.2) and segment.width >= 1.0
            end = segment.x + segment.width
        streamed = sum(s.width for s in row.segments if s.kind == "stream")
        assert streamed / (WIDTH - chart.left - 150) == pytest.approx(
            time.compute_s / sum(t.total_s for t in TIMES), abs=0.005
        )
    assert end < WIDTH
    assert [sum(s.kind == "load" for s in r.segments) for r in chart.rows] == [1, 1, 1, 1, 4]


def test_many_passes_are_drawn_as_one() -> None:
    many = sample.inputs(passes=40)
    (row,) = gantt(partition_times(many.performance, many.design)).rows
    assert [s.kind for s in row.segments] == ["stream"] and "40 passes" in row.segments[0].title


def test_front_lies_inside_its_axes() -> None:
    plots = scatters(tuple(point(item) for item in VGG16.pareto))
    assert [p.x_label for p in plots] == ["latency of one frame, ms", "DSP"]
    for plot in plots:
        assert all(plot.left <= d.x <= plot.width and 0 <= d.y <= plot.bottom for d in plot.dots)
        assert [d.chosen for d in plot.dots].index(True) == len(plot.dots) - 1
        assert min(plot.dots, key=lambda d: d.y).chosen
        assert 3 <= len(plot.x_ticks) <= 8 and plot.x_ticks[0].text == "0"
    assert scatters(()) == ()


def test_a_front_of_one_point() -> None:
    plot = scatters((point({"throughput_fps": 5.0, "latency_s": 0.0, "chosen": True}),))[0]
    assert len(plot.dots) == 1 and plot.dots[0].x == plot.left


@pytest.mark.parametrize("number", [1, 9, 110])
def test_boxes_do_not_overlap(number: int) -> None:
    deep = sample.inputs(sample.deep(number))
    layers = tuple(layer(item) for item in deep.layers)
    times = partition_times(deep.performance, deep.design)
    drawn = picture(layers, intervals(times), bottlenecks(layers)[0])
    assert len(drawn.boxes) == number and sum(b.bottleneck for b in drawn.boxes) == 1
    for a, b in zip(drawn.boxes, drawn.boxes[1:], strict=False):
        assert b.x > a.right if b.y == a.y else b.y > a.y + a.height
    assert all(b.right <= drawn.width and b.y + b.height <= drawn.height for b in drawn.boxes)
    assert len(drawn.wires) == number - 1 and not any(w.skip for w in drawn.wires)


def test_a_shortcut_is_drawn_over_the_others() -> None:
    chain = [layer(item) for item in sample.inputs(sample.deep(3)).layers]
    data = dict(sample.inputs(sample.deep(3)).layers[2]) | {"inputs": [chain[0].name, chain[1].name]}
    drawn = picture((*chain[:2], layer(data)), {0: 1}, None)
    assert [w.skip for w in drawn.wires] == [False, True, False]


def test_round_steps_and_ticks() -> None:
    assert [round_step(s) for s in (0.013, 0.02, 3.0, 7.1, 0.0)] == [0.02, 0.02, 5.0, 10.0, 1.0]
    assert [t.text for t in Axis(0, 0.1, 0, 100).ticks("ms", 1e-3)] == [
        "0 ms",
        "20 ms",
        "40 ms",
        "60 ms",
        "80 ms",
        "100 ms",
    ]
    assert from_zero([], 0, 10).at(0.5) == 5.0


def test_numbers_as_text() -> None:
    assert [significant(v) for v in (6.2123, 1234.4, 0.01234, 0.0, float("inf"))] == [
        "6.21",
        "1,234",
        "0.0123",
        "0",
        "–",
    ]
    assert [seconds(v) for v in (1.5, 0.02, 3e-6, 0.0)] == ["1.50 s", "20.0 ms", "3.00 µs", "0 s"]
    assert [percent(v) for v in (1.0, 0.9994, 0.9996, 0.123, 0.0)] == ["100 %", "99.9 %", "100 %", "12.3 %", "0 %"]
    assert (count(944.5), count(1000.0), scaled(15.47e9, "MAC")) == ("944.5", "1,000", "15.5 GMAC")
    assert shorten("features.10.conv", 9) == "feat…conv" and len(shorten("x" * 50, 13)) == 13
    assert shown("a\x00\u202eb é") == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b é"
