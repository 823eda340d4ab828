"""Every back end runs the same schedules: PYNQ, Linux's files and XRT, in front of compiled partitions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ip_templates.host.board import linux
from ip_templates.host.board.device import Board
from ip_templates.host.board.errors import HostError
from ip_templates.host.board.linux import LinuxBoard
from ip_templates.host.board.pynq_board import PynqBoard
from ip_templates.host.board.runner import Runner
from ip_templates.host.board.virtual import VirtualBoard
from ip_templates.host.board.xrt_board import XrtBoard

from .builds import Made, equal
from .fakes import LinuxTree, fake_pynq, fake_pyxrt


def ran(build: Made, board: Board, count: int = 3) -> bool:
    return equal(build, Runner(build.plan, board).run(build.integers(count)), count)


def test_pynq(two: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    below = VirtualBoard(two.out / "virtual", 1 << 24)
    monkeypatch.setitem(sys.modules, "pynq", fake_pynq(below))
    try:
        assert ran(two, PynqBoard(two.out / "virtual"))
    finally:
        below.close()


def test_xrt(passes: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each buffer lies in the bank of its own argument."""
    card = passes.copy(tmp_path / "card")
    files = card.out / "virtual"
    shutil.copy(files / "p0/partition_0.bit", files / "p0/partition_0.xclbin")
    below = VirtualBoard(files, 1 << 24)
    arguments = card.plan.partitions[0].files.arguments
    fake = fake_pyxrt(below, arguments)
    monkeypatch.setitem(sys.modules, "pyxrt", fake)
    try:
        assert ran(card, XrtBoard(files))
    finally:
        below.close()
    assert sorted(fake.made.banks) == [10 + arguments.index(name) for name in ("in_0", "out_0", "weights")]


def test_xrt_compares_the_kernel_with_the_build(passes: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p0"
    folder.mkdir()
    below = VirtualBoard(tmp_path, 1 << 20)
    monkeypatch.setitem(sys.modules, "pyxrt", fake_pyxrt(below, ("in_0", "out_0")))
    below.close()
    board = XrtBoard(tmp_path)
    with pytest.raises(HostError, match=r"HOST001.*partition_0\.xclbin"):
        Runner(passes.plan, board).run(passes.integers(1))
    (folder / "partition_0.xclbin").write_bytes(b"")
    with pytest.raises(HostError, match=r"HOST002.*no kernel partition_0 of 6 arguments"):
        Runner(passes.plan, board).run(passes.integers(1))


@pytest.fixture
def tree(two: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = LinuxTree(tmp_path, two.out / "virtual")
    monkeypatch.setattr(linux, "_put", made.hook(linux._put))
    yield made
    made.close()


def test_linux(two: Made, tree: LinuxTree) -> None:
    board = LinuxBoard(two.out / "virtual", 125.0, root=tree.root)
    assert ran(two, board, 2)
    assert tree.loaded == ["partition_0", "partition_1"]
    assert (tree.root / "sys/devices/soc0/fclk0/set_rate").read_text() == "125000000"
    assert (tree.root / "sys/class/fpga_manager/fpga0/flags").read_text() == "0", "a full bitstream"
    assert tree.synchronised == ["sync_for_device"] * 3 + ["sync_for_cpu"], "weights twice, images, scores"
    assert not list((tree.root / "lib/firmware").iterdir())


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("sys/class/uio/uio0/maps/map0/addr", "0x43c00000", r'no UIO device at 0x40000000\n.*"generic-uio"'),
        ("sys/class/uio/uio0/maps/map0/size", "0x1000", "maps 4096 bytes of 65536"),
        ("sys/class/fpga_manager/fpga0/state", "write error", "reports 'write error'"),
        ("sys/class/u-dma-buf/udmabuf0/size", "4096", "udmabuf0 has 4096 bytes"),
    ],
)
def test_linux_that_is_not_set_up(path: str, text: str, message: str, two: Made, tree: LinuxTree) -> None:
    (tree.root / path).write_text(text)
    with pytest.raises(HostError, match=message):
        Runner(two.plan, LinuxBoard(two.out / "virtual", 125.0, root=tree.root)).run(two.integers(2))


def test_linux_without_the_driver(two: Made, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"HOST008.*phys_addr(.|\n)*insmod"):
        LinuxBoard(two.out / "virtual", 125.0, root=tmp_path)


@pytest.mark.parametrize(("kind", "package"), [(PynqBoard, "pynq"), (XrtBoard, "pyxrt")])
def test_a_missing_package_is_said(kind: type, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(HostError, match=f"the package {package} is not installed"):
        kind(tmp_path)
