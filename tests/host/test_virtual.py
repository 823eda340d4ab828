"""The schedule on the virtual board: equal to the emulator, and every fault is seen."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.tools.virtual import make_device, run_board
from flow.tools.virtual.run import check_outputs, host_program, write_images
from ip_templates.host.board.device import Pointer
from ip_templates.host.board.errors import HostError
from ip_templates.host.board.runner import Runner
from ip_templates.host.board.virtual import VirtualBoard, VirtualBuffer

from .builds import Made, equal, run


def virtual(build: Made) -> VirtualBoard:
    return VirtualBoard(build.out / "virtual", 1 << 24)


def test_partitions_in_turn_equal_the_emulator(two: Made) -> None:
    result = run(two, virtual(two), 5)
    assert equal(two, result, 5)
    assert (result.configurations, result.passes) == (6, 6), "two partitions in each of three batches"


def test_passes_equal_the_emulator(passes: Made) -> None:
    """Weights stay from batch to batch but for the layer that comes in passes."""
    result = run(passes, virtual(passes), 3)
    assert equal(passes, result, 3)
    assert (result.configurations, result.passes) == (1, 6)


@pytest.mark.parametrize(("batch", "configurations"), [(1, 6), (3, 2)])
def test_batches_of_another_size(batch: int, configurations: int, two: Made) -> None:
    """Smaller ones, and one that is larger than the schedule's two: frames are counted when a pass starts."""
    result = run(two, virtual(two), 3, batch=batch)
    assert equal(two, result, 3) and result.configurations == configurations
    with pytest.raises(HostError, match="HOST007"):
        Runner(two.plan, virtual(two), 1 << 20)


def test_registers_are_found_by_the_description(two: Made, tmp_path: Path) -> None:
    """The same program on hardware whose arguments lie elsewhere."""
    moved = two.copy(tmp_path / "build")
    for index in range(2):
        make_device(moved.out, index, first=0x80)
    text = (moved.out / "virtual/p0/partition_0.hwh").read_text()
    assert 'VALUE="128"' in text and 'VALUE="16"' not in text
    assert equal(moved, run(moved, virtual(moved)))


def test_a_description_of_other_hardware_is_noticed(two: Made, tmp_path: Path) -> None:
    """Offsets of another version of the same partition: the device has no register there."""
    other = two.copy(tmp_path / "build")
    good = (other.out / "virtual/p0/partition_0.hwh").read_text()
    make_device(other.out, 0, first=0x80)
    (other.out / "virtual/p0/partition_0.hwh").write_text(good)
    with pytest.raises(HostError, match="no register at register offset 0x10") as caught:
        run(other, virtual(other))
    assert caught.value.code == "HOST011"


def test_swapped_bitstreams_are_refused(two: Made, tmp_path: Path) -> None:
    """Each lies under the other's name, as a mistake of copying leaves them."""
    swapped = two.copy(tmp_path / "build")
    first, second = (swapped.out / f"virtual/p{i}/partition_{i}.bit" for i in range(2))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    with pytest.raises(HostError, match="identity") as caught:
        run(swapped, virtual(swapped))
    assert caught.value.code == "HOST003"


def test_steps_in_the_wrong_order_are_refused(two: Made) -> None:
    plan, board = two.plan, virtual(two)
    configure_0, run_0, configure_1, run_1 = plan.steps
    try:
        runner = Runner(replace(plan, steps=(configure_1, run_0, configure_0, run_1)), board)
        with pytest.raises(HostError, match="pass of partition 0, but 1 is configured") as caught:
            runner.run(two.integers(2))
    finally:
        board.close()
    assert caught.value.code == "HOST005"


class Forgetful(VirtualBoard):
    """A host that forgets caches: `kind` is flush or invalidate, `skipped` the buffer, in the order of allocation."""

    def __init__(self, files: Path, kind: str, skipped: int) -> None:
        super().__init__(files, 1 << 24)
        self._kind, self._skipped = kind, skipped

    def allocate(self, size: int, argument: str) -> VirtualBuffer:
        buffer = super().allocate(size, argument)
        if len(self._buffers) == self._skipped + 1:
            setattr(buffer, self._kind, lambda offset, size: None)
        return buffer


@pytest.mark.parametrize(("kind", "skipped"), [("flush", 0), ("flush", 1), ("invalidate", 1)])
def test_a_forgotten_cache_is_noticed(kind: str, skipped: int, two: Made) -> None:
    """Buffer 0 holds weights, buffer 1 tensors. Noise in the weights may also stop the device."""
    try:
        result = run(two, Forgetful(two.out / "virtual", kind, skipped))
    except HostError as error:
        assert error.code == "HOST011" and skipped == 0
        return
    with pytest.raises(BuildError, match=r"BOARD002.*differs from the emulator"):
        check_outputs(result.integers, two.sample.realised, two.frames(3))


@pytest.mark.parametrize("missing", [8, 4096])
def test_a_short_buffer_is_noticed_by_the_device(missing: int, passes: Made) -> None:
    """The host believes in more than it has allocated, by a word or by a page."""

    class Stingy(VirtualBoard):
        def allocate(self, size: int, argument: str) -> VirtualBuffer:
            buffer = super().allocate(max(8, size - missing), argument)
            buffer.array = np.resize(buffer.array, size)
            return buffer

    class Blind(Runner):
        """Does not look at sizes: the whole check is the board's."""

        def _tensor(self, name: str, frames: int) -> Pointer:
            return self._tensors[name]

    board = Stingy(passes.out / "virtual", 1 << 24)
    board_flush = VirtualBuffer.flush
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(VirtualBuffer, "flush", lambda b, o, n: board_flush(b, o, min(n, len(b.memory) - o)))
            with pytest.raises(HostError, match=r"access to 0x0*8[0-9a-f]+, where no buffer is") as caught:
                Blind(passes.plan, board).run(passes.integers(2))
    finally:
        board.close()
    assert caught.value.code == "HOST011"


def test_a_short_buffer_is_refused_by_the_host(two: Made) -> None:
    board = virtual(two)
    runner = Runner(two.plan, board)
    try:
        runner.run(two.integers(2))
        name = two.plan.inputs[0].name
        whole = runner._tensors[name]
        runner._tensors[name] = Pointer(whole.buffer, whole.offset, whole.size - 8)
        with pytest.raises(HostError, match="frames of 'x' take") as caught:
            runner.run(two.integers(2))
    finally:
        board.close()
    assert caught.value.code == "HOST006"


def test_a_partition_that_never_finishes_is_given_up(two: Made) -> None:
    """The start gets lost: the control register says that nothing runs, and the wait ends."""

    class Stuck(VirtualBoard):
        def write(self, offset: int, value: int) -> None:
            if offset:  # the start never arrives
                super().write(offset, value)

    with pytest.raises(HostError, match=r"partition_0 has not finished within 0\.2 s: control register 0x4") as caught:
        run(two, Stuck(two.out / "virtual", 1 << 24), time_out_s=0.2)
    assert caught.value.code == "HOST010"


def test_a_partition_that_runs_for_ever_is_given_up(two: Made, tmp_path: Path) -> None:
    """Its loop does not end: the control register says that it runs, the host goes on, and no process is left."""
    endless = two.copy(tmp_path / "build")
    source = endless.out / "hls/p0/partition_0.cpp"
    text = source.read_text()
    at = text.index("    hls::stream")
    source.write_text(text[:at] + "    for (volatile bool on = true; on;) {}\n" + text[at:])
    shutil.rmtree(endless.out / "virtual/p0")
    make_device(endless.out, 0)
    board = virtual(endless)
    with pytest.raises(HostError, match=r"not finished within 0\.3 s: control register 0x1"):
        run(endless, board, time_out_s=0.3)
    assert board._device is None


def test_weights_of_another_partition_are_refused(two: Made, tmp_path: Path) -> None:
    mixed = two.copy(tmp_path / "build")
    shutil.copy(mixed.out / "weights/p1.bin", mixed.out / "weights/p0.bin")
    with pytest.raises(HostError, match="does not belong to partition 0") as caught:
        run(mixed, virtual(mixed))
    assert caught.value.code == "HOST004"


def test_a_changed_weight_is_refused(two: Made, tmp_path: Path) -> None:
    changed = two.copy(tmp_path / "build")
    path = changed.out / "weights/p1.bin"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(HostError, match="does not belong to partition 1"):
        run(changed, virtual(changed))


def test_memory_that_does_not_suffice_is_said(two: Made) -> None:
    with pytest.raises(HostError, match=r"the board has 8192 bytes") as caught:
        run(two, VirtualBoard(two.out / "virtual", 8192))
    assert caught.value.code == "HOST009"


def test_the_generated_program_runs_by_itself(two: Made, tmp_path: Path) -> None:
    """As a user calls it: images in a file, labels a line each."""
    write_images(tmp_path / "images.npz", two.frames(3))
    said = host_program(two.out, tmp_path / "images.npz", "--board", "virtual")
    assert [int(line) for line in said.split()] == np.argmax(two.wanted(3)["g"].reshape(3, -1), axis=1).tolist()
    with pytest.raises(BuildError, match=r"BOARD001.*HOST012.*no board is called 'vitual'"):
        host_program(two.out, tmp_path / "images.npz", "--board", "vitual")
    with pytest.raises(BuildError, match=r"HOST008"):
        host_program(two.out, tmp_path / "images.npz")
    with pytest.raises(BuildError, match=r"HOST001"):
        host_program(two.out, tmp_path / "images.npz", "--board", "virtual", "--out", tmp_path / "nowhere" / "x.npz")


def test_what_the_network_ends_with_is_computed(two: Made, tmp_path: Path) -> None:
    """A softmax behind the cut: scores that sum to one, the same labels; what else is behind it is named."""
    ends = two.copy(tmp_path / "build")
    host = json.loads((ends.out / "host/host.json").read_text())
    (ends.out / "host/host.json").write_text(json.dumps(host | {"scores": "softmax", "left": ["NonMaxSuppression"]}))
    write_images(tmp_path / "images.npz", two.frames(2))
    host_program(ends.out, tmp_path / "images.npz", "--board", "virtual", "--out", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as found:
        assert found["output_0"].sum(axis=1) == pytest.approx(1, abs=1e-6)
        wanted = two.wanted(2)["g"]
        assert np.array_equal(found["integers_0"], wanted)
        assert found["labels"].tolist() == np.argmax(wanted.reshape(2, -1), axis=1).tolist()


def test_a_run_is_recorded(two: Made) -> None:
    found, seconds = run_board(two.out, two.sample.realised, two.frames(3))
    assert (found.frames, found.partitions, found.configurations, found.passes) == (3, 2, 4, 4)
    assert found.as_json()["kind"] == "simulated" and seconds > 0
    json.dumps(found.as_json())


def test_a_device_is_compiled_once(two: Made) -> None:
    bitstream = make_device(two.out, 0)
    before = bitstream.stat().st_mtime_ns
    assert make_device(two.out, 0).stat().st_mtime_ns == before
