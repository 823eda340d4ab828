"""What the report makes of the numbers: times, bottlenecks, bounds."""

import pytest

from flow.report.analysis import bottlenecks, bounds, busy, intervals, slowest_name, slowest_partition, worst
from flow.report.records import layer, partition_times
from tests.report import sample

VGG16 = sample.inputs(sample.vgg16(), (4, 7, 12, 18), "vgg16_zc706", 256, passes=4)
LAYERS = tuple(layer(item) for item in VGG16.layers)
TIMES = partition_times(VGG16.performance, VGG16.design)


def test_times_add_up_to_the_batch() -> None:
    p = VGG16.performance
    assert sum(t.total_s for t in TIMES) == pytest.approx(p["batch"] / p["throughput_fps"])
    assert [t.reconfiguration_s for t in TIMES] == pytest.approx([0.08255] * 5)
    assert TIMES[-1].load_s == pytest.approx(0.12) and TIMES[-1].reloaded == "fc8"
    assert TIMES[0].reloaded == ""


def test_resident_weights_take_no_time() -> None:
    lenet = sample.inputs()
    (only,) = partition_times(lenet.performance, lenet.design)
    assert only.load_s == only.reconfiguration_s == 0.0


def test_bottlenecks() -> None:
    slow = bottlenecks(LAYERS)
    assert [slow[k].node for k in range(5)] == ["conv1_2", "conv2_2", "conv3_2", "conv4_3", "fc6"]
    assert busy(slow[0], intervals(TIMES)) == 1.0
    longest = slowest_partition(TIMES)
    assert longest is not None and slowest_name(longest, slow) == "conv4_3"
    assert worst(LAYERS, TIMES, 1)[0].interval_cycles == max(item.interval_cycles for item in LAYERS)


def test_memory_can_be_the_bottleneck() -> None:
    figures = [dict(f) for f in VGG16.performance["partition_figures"]]
    stretched = figures[0]["interval_cycles"] + 1
    figures[0] |= {"interval_cycles": stretched, "memory_cycles": stretched}
    times = partition_times(dict(VGG16.performance) | {"partition_figures": figures}, VGG16.design)
    assert slowest_name(times[0], bottlenecks(LAYERS)) == "off-chip memory"


def test_bounds_fall_down_to_the_design() -> None:
    rows = bounds(VGG16.performance)
    assert [r.label for r in rows] == ["bandwidth", "bram18", "dsp", "lut", "own dsp bound", "this design"]
    assert [r.fps for r in rows] == sorted((r.fps for r in rows), reverse=True)
    assert rows[-1].own and rows[-1].fps == VGG16.performance["throughput_fps"]
    assert [r.label for r in rows if r.note == "binds"] == ["lut"]
    assert rows[0].beyond and rows[0].part == 1.0 and not rows[2].beyond
    assert rows[-1].part / rows[2].part == pytest.approx(0.91)


def test_own_bound_is_left_out_without_reconfiguration() -> None:
    assert "own dsp bound" not in [r.label for r in bounds(sample.inputs().performance)]
