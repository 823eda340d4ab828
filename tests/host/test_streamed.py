"""Streamed weights behind pointers of their own: equal to the emulator on every board, and every fault is seen."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.tools.virtual import run_board
from ip_templates.host.board import linux
from ip_templates.host.board.device import Pointer
from ip_templates.host.board.errors import HostError
from ip_templates.host.board.linux import LinuxBoard
from ip_templates.host.board.places import lasting
from ip_templates.host.board.plan import read_plan
from ip_templates.host.board.pynq_board import PynqBoard
from ip_templates.host.board.runner import Runner
from ip_templates.host.board.virtual import VirtualBoard, VirtualBuffer
from ip_templates.host.board.xrt_board import XrtBoard
from tests.generate import designs

from .builds import Made, equal, made, run
from .fakes import LinuxTree, fake_pynq, fake_pyxrt

ROOM = 1 << 24


def virtual(build: Made) -> VirtualBoard:
    return VirtualBoard(build.out / "virtual", ROOM)


def places_of(build: Made) -> list[tuple[int, int]]:
    """(offset, size) of every file of streamed weights in the one piece of memory."""
    sizes = {w.file: w.size for p in build.plan.partitions for w in p.slices.values()}
    return [(start, sizes[file]) for file, start in lasting(sizes)[0].items()]


def test_equal_to_the_emulator(sliced: Made) -> None:
    """A batch of five and one of two: tiles of two and of three frames end short."""
    result = run(sliced, virtual(sliced), 7)
    assert equal(sliced, result, 7)
    assert (result.configurations, result.passes) == (1, 2)


def test_the_generated_program_runs_by_itself(sliced: Made) -> None:
    """Labels and integers of every output are compared inside."""
    found, _ = run_board(sliced.out, sliced.sample.realised, sliced.frames(7))
    assert (found.frames, found.partitions, found.passes) == (7, 1, 2)
    assert list(found.labels) == np.argmax(sliced.wanted(7)["g"].reshape(7, -1), axis=1).tolist()


@pytest.mark.slow
def test_partitions_in_turn_equal_the_emulator(tmp_path: Path) -> None:
    """Both have streamed weights, loaded once; the second has no others, so its first pass loads none."""
    build = made(designs.streamed(cuts=(3,), batch=2), tmp_path / "build")
    written: list[tuple[int, int]] = []

    class Watched(VirtualBoard):
        def allocate(self, size: int, argument: str) -> VirtualBuffer:
            buffer = super().allocate(size, argument)
            flush = buffer.flush

            def watched(offset: int, size: int) -> None:
                written.append((offset, size))
                flush(offset, size)

            buffer.flush = watched  # type: ignore[method-assign]  # of this one buffer
            return buffer

    result = run(build, Watched(build.out / "virtual", ROOM), 3)
    assert equal(build, result, 3) and result.configurations == 4
    places = places_of(build)
    assert len(places) == 3 and written[:3] == places
    assert not set(places) & set(written[3:]), "what does not change is not loaded again"


def test_the_host_knows_every_file(sliced: Made) -> None:
    """And times: a tile that is not full takes all of its weights."""
    (partition,) = json.loads((sliced.out / "host/host.json").read_text())["partitions"]
    assert set(partition["slices"]) == {"slices_0", "slices_1", "slices_2"}
    sizes = {s["file"]: s["bytes"] for s in partition["slices"].values()}
    assert sizes == {file: (sliced.out / file).stat().st_size for file in sizes}
    assert partition["load_s"] * sliced.plan.clock_mhz * 1e6 >= sum(sizes.values()) / 8


def test_the_header_limits_batches(sliced: Made) -> None:
    """Four slices of each frame must be counted in twenty bits."""
    assert sliced.plan.most_frames == ((1 << 20) - 1) // 4
    with pytest.raises(HostError, match="HOST007"):
        Runner(sliced.plan, virtual(sliced), sliced.plan.most_frames + 1)


@pytest.mark.parametrize("how", ["another's", "changed", "gone"])
def test_a_foreign_file_is_refused(how: str, sliced: Made, tmp_path: Path) -> None:
    mixed = sliced.copy(tmp_path / "build")
    path, other = (mixed.out / f"weights/p0_slices_{i}.bin" for i in range(2))
    if how == "another's":
        shutil.copy(other, path)
    elif how == "changed":
        path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
    else:
        path.unlink()
    with pytest.raises(HostError, match=r"p0_slices_0\.bin") as caught:
        run(mixed, virtual(mixed))
    assert caught.value.code == ("HOST001" if how == "gone" else "HOST004")


def _apart(change: Callable[[int, str], int]) -> type[VirtualBoard]:
    """A board with a buffer an argument, as cards have it, of a size that the host does not see."""

    class Apart(VirtualBoard):
        one_memory = False

        def allocate(self, size: int, argument: str) -> VirtualBuffer:
            buffer = super().allocate(change(size, argument), argument)
            buffer.array = np.resize(buffer.array, size)
            return buffer

    return Apart


def test_a_short_buffer_is_noticed_by_the_device(sliced: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word too short, and the device reads where no buffer is."""
    flush = VirtualBuffer.flush
    monkeypatch.setattr(VirtualBuffer, "flush", lambda b, o, n: flush(b, o, min(n, len(b.memory) - o)))
    whole, short = _apart(lambda size, _: size), _apart(lambda size, name: size - 8 * (name == "slices_1"))
    assert equal(sliced, run(sliced, whole(sliced.out / "virtual", ROOM), 5), 5)
    with pytest.raises(HostError, match="where no buffer is") as caught:
        run(sliced, short(sliced.out / "virtual", ROOM), 5)
    assert caught.value.code == "HOST011"


def test_a_short_buffer_is_refused_by_the_host(sliced: Made) -> None:
    board = virtual(sliced)
    runner = Runner(sliced.plan, board)
    try:
        runner.run(sliced.integers(2))
        file = sliced.plan.partitions[0].slices["slices_2"].file
        whole = runner._slices[file]
        runner._slices[file] = Pointer(whole.buffer, whole.offset, whole.size - 8)
        with pytest.raises(HostError, match=r"p0_slices_2\.bin takes") as caught:
            runner.run(sliced.integers(2))
    finally:
        board.close()
    assert caught.value.code == "HOST006"


def test_a_forgotten_flush_is_noticed(sliced: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of streamed weights alone: the device computes with what lay in memory before."""
    flush, forgotten = VirtualBuffer.flush, places_of(sliced)
    monkeypatch.setattr(VirtualBuffer, "flush", lambda b, o, n: None if (o, n) in forgotten else flush(b, o, n))
    assert not equal(sliced, run(sliced, virtual(sliced), 5), 5)


def test_memory_is_counted(sliced: Made) -> None:
    """Room for weights and tensors is asked for at once, and what would be enough without the weights is not."""
    sizes = {w.file: w.size for w in sliced.plan.partitions[0].slices.values()}
    starts, end = lasting(sizes)
    assert all(start % 4096 == 0 for start in starts.values()) and end >= sum(sizes.values())
    assert len({start // 4096 for start in starts.values()}) == len(sizes)
    with pytest.raises(HostError, match=rf"the board has {end} bytes") as caught:
        run(sliced, VirtualBoard(sliced.out / "virtual", end))
    assert caught.value.code == "HOST009"


def test_linux(sliced: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = LinuxTree(tmp_path, sliced.out / "virtual")
    monkeypatch.setattr(linux, "_put", tree.hook(linux._put))
    try:
        board = LinuxBoard(sliced.out / "virtual", 125.0, root=tree.root)
        assert equal(sliced, Runner(sliced.plan, board).run(sliced.integers(7)), 7)
    finally:
        tree.close()


def test_pynq(sliced: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    below = virtual(sliced)
    monkeypatch.setitem(sys.modules, "pynq", fake_pynq(below))
    try:
        assert equal(sliced, Runner(sliced.plan, PynqBoard(sliced.out / "virtual")).run(sliced.integers(7)), 7)
    finally:
        below.close()


def test_xrt(sliced: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file lies in the bank of its own argument."""
    card = sliced.copy(tmp_path / "card")
    files = card.out / "virtual"
    shutil.copy(files / "p0/partition_0.bit", files / "p0/partition_0.xclbin")
    below = VirtualBoard(files, ROOM)
    arguments = card.plan.partitions[0].files.arguments
    fake = fake_pyxrt(below, arguments)
    monkeypatch.setitem(sys.modules, "pyxrt", fake)
    try:
        assert equal(card, Runner(card.plan, XrtBoard(files)).run(card.integers(7)), 7)
    finally:
        below.close()
    names = card.plan.partitions[0].files.pointers
    assert sorted(fake.made.banks) == sorted(10 + arguments.index(name) for name in names)


@pytest.mark.parametrize(
    "change",
    [
        lambda partition: partition["slices"].popitem(),
        lambda partition: partition["slices"]["slices_0"].update(file="weights/p0.bin"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(change: Any, sliced: Made, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    host = json.loads((sliced.out / "host/host.json").read_text())
    change(host["partitions"][0])
    (tmp_path / "host/host.json").write_text(json.dumps(host))
    shutil.copy(sliced.out / "schedule.json", tmp_path)
    with pytest.raises(HostError, match=r"HOST001.*streamed weights of partition 0"):
        read_plan(tmp_path)
