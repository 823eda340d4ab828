"""What the host program reads: hardware descriptions, bitstreams, images; and that old Pythons can run it."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.fixed_point import Format
from flow.generate import generate
from flow.generate.host import HostSide
from flow.generate.tensors import TensorLayout
from flow.spec import Data
from flow.tools.virtual.description import register_map
from flow.tools.virtual.device import bitstream_bytes
from ip_templates.host.board import images, layout, scores
from ip_templates.host.board.bitstream import read_bitstream
from ip_templates.host.board.description import read_description
from ip_templates.host.board.errors import HostError
from ip_templates.host.board.plan import read_plan
from tests.generate import designs

from .builds import ZC706, Made

PROGRAM = Path(__file__).parents[2] / "ip_templates" / "host"
SOURCE = 'extern "C" void partition_3(const port_t *in_0, int in_0_frames, port_t *out_0) { }'


def described(folder: Path, change: tuple[str, str] = ("", "")) -> Path:
    path = folder / "partition_3.hwh"
    path.write_text(register_map(SOURCE, "partition_3").hardware_description().replace(*change))
    return path


def test_registers_of_a_description(tmp_path: Path) -> None:
    """Pointers in two words; fields by their bits."""
    found = read_description(described(tmp_path), "partition_3")
    assert (found.base, found.size) == (0x4000_0000, 0x1_0000)
    assert found.words("in_0", 0x8_1234_5678) == ((0x10, 0x1234_5678), (0x14, 8))
    assert found.words("in_0_frames", 7) == ((0x1C, 7),)
    assert found.words("out_0", 1) == ((0x24, 1), (0x28, 0))
    assert [found.control(f) for f in ("AP_START", "AP_DONE", "AP_IDLE")] == [(0, 1), (0, 2), (0, 4)]


def test_a_pointer_may_be_one_register_of_64_bits(tmp_path: Path) -> None:
    """As some versions describe it, offsets in hexadecimal."""
    path = described(tmp_path, ('NAME="in_0_1"', 'NAME="in_0"'))
    text = path.read_text().replace('"ADDRESS_OFFSET" VALUE="16"', '"ADDRESS_OFFSET" VALUE="0x10"')
    head, _, rest = text.partition('NAME="in_0"')
    path.write_text(head + 'NAME="in_0"' + rest.replace('"SIZE" VALUE="32"', '"SIZE" VALUE="64"', 1))
    assert read_description(path, "partition_3").words("in_0", 0x9_0000_0001) == ((0x10, 1), (0x14, 9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('MODTYPE="partition_3"', 'MODTYPE="partition_4"'), "does not describe partition_3"),
        (("MEMRANGE", "OTHER"), "has 0 address ranges"),
        (('"ADDRESS_OFFSET" VALUE="16"', '"ADDRESS_OFFSET" VALUE="70000"'), "outside its range"),
        (('"ADDRESS_OFFSET" VALUE="16"', '"ADDRESS_OFFSET" VALUE="x"'), "'x' is not a number"),
        (("<EDKSYSTEM", "<!DOCTYPE a [<!ENTITY b 'c'>]><EDKSYSTEM"), "declares a document type"),
        (("</EDKSYSTEM>", ""), "is no hardware description"),
    ],
)
def test_a_broken_description_is_refused(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=message):
        read_description(described(tmp_path, change), "partition_3")


@pytest.mark.parametrize(("name", "lacks"), [("in_0_2", "in_0"), ("in_0_frames", "in_0_frames")])
def test_a_missing_register_is_named(name: str, lacks: str, tmp_path: Path) -> None:
    found = read_description(described(tmp_path, (f'NAME="{name}"', 'NAME="z"')), "partition_3")
    with pytest.raises(HostError, match=f"partition_3 has no register {lacks}"):
        found.words(lacks, 1)


def test_a_value_beyond_its_register_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="does not fit"):
        read_description(described(tmp_path), "partition_3").words("in_0_frames", 1 << 32)


def test_a_bitstream_is_read_as_vivado_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.bit"
    path.write_bytes(
        bitstream_bytes("design_wrapper;UserID=0X0123ABCD;Version=2022.1", "7z045ffg900", b"\x01\x02\x03\x04")
    )
    found = read_bitstream(path, "0123abcd")
    assert (found.part, found.identity, found.for_manager()) == ("7z045ffg900", "0123abcd", b"\x04\x03\x02\x01")
    with pytest.raises(HostError, match="has the identity 0123abcd, this partition has 76543210"):
        read_bitstream(path, "76543210")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HostError, match="is cut off"):
        read_bitstream(path)
    path.write_bytes(b"\x7fELF")
    with pytest.raises(HostError, match="not a bitstream"):
        read_bitstream(path)


@pytest.mark.parametrize(("shape", "bits", "port"), [((3, 5, 4), 16, 64), ((9,), 8, 128), ((2, 3, 2, 2), 24, 64)])
def test_layout_and_rounding_are_the_flows(shape: tuple[int, ...], bits: int, port: int) -> None:
    slots = port // (8 if bits <= 8 else 16 if bits <= 16 else 32)
    ours = TensorLayout(shape, -(-shape[0] // slots), bits, port)
    theirs = layout.TensorLayout(shape, ours.pixel_stride, ours.frame_bytes, bits, -3, port)
    values = np.random.default_rng(0).normal(0, 2.0 ** (bits - 5), (3, *shape))
    values.flat[:3] = (0.0625, -0.0625, 0.1875)  # halves of a step
    integers = theirs.quantise(values)
    assert np.array_equal(integers, Format(bits, -3).quantise(values))
    memory = np.full(3 * ours.frame_bytes, 0x5A, np.uint8)
    theirs.pack(integers, memory)
    assert memory.tobytes() == ours.pack(integers).tobytes()
    assert np.array_equal(theirs.unpack(memory, 3), integers)
    with pytest.raises(HostError, match="HOST006"):
        theirs.unpack(memory[:-8], 3)


def test_pixels_are_normalised_and_floats_are_not(tmp_path: Path) -> None:
    data = Data(Path("x"), "x", "a", "b", "c", 1 / 255, (0.5, 0.25), (0.5, 2.0))
    sample = designs.residual()
    generate(sample.hardware, sample.realised, replace(ZC706, host=HostSide(data=data)), tmp_path)
    plan = read_plan(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2, 5, 5)).astype(np.uint8)
    real = (pixels / 255 - np.array([0.5, 0.25]).reshape(2, 1, 1)) / np.array([0.5, 2.0]).reshape(2, 1, 1)
    np.save(tmp_path / "pixels.npy", pixels)
    np.save(tmp_path / "floats.npy", real.astype(np.float32))
    first, second = (images.read_frames(plan, tmp_path / f"{name}.npy")["x"] for name in ("pixels", "floats"))
    assert np.abs(first.astype(int) - second).max() <= 1 and first.any()
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04" + bytes(40))
    np.save(tmp_path / "nan.npy", np.full((1, 2, 5, 5), np.nan, np.float32))
    np.save(tmp_path / "none.npy", pixels[:0])
    for name in ("broken.npz", "nan.npy", "none.npy"):
        with pytest.raises(HostError, match="HOST007"):
            images.read_frames(plan, tmp_path / name)
    np.save(tmp_path / "other.npy", pixels[:, :1])
    with pytest.raises(HostError, match=r"takes frames of shape \(2, 5, 5\)"):
        images.read_frames(plan, tmp_path / "other.npy")


def test_scores() -> None:
    values = np.array([[1.0, 2.0, 900.0]])
    assert scores.activated(values, "softmax").tolist() == [[0.0, 0.0, 1.0]]
    assert scores.activated(np.array([[0.0]]), "sigmoid").tolist() == [[0.5]]
    with pytest.raises(HostError, match="HOST012"):
        scores.activated(values, "relu7")


def test_no_host_takes_one_partition_only(tmp_path: Path) -> None:
    sample = designs.residual(cuts=(1,))
    for board in ("none", "xrt"):
        with pytest.raises(BuildError, match=f"GEN013: 2 partitions, but a device with `host: {board}`"):
            generate(sample.hardware, sample.realised, replace(ZC706, host=HostSide(board)), tmp_path)
    assert not (tmp_path / "host").exists()


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("host/host.json", lambda d: d | {"partitions": d["partitions"][:1]}),
        ("host/host.json", lambda d: d | {"outputs": ["nothing"]}),
        ("host/host.json", lambda d: {k: v for k, v in d.items() if k != "scores"}),
        ("schedule.json", lambda d: d | {"steps": []}),
        ("schedule.json", lambda d: d | {"buffers": d["buffers"][1:]}),
        ("schedule.json", lambda d: []),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(file: str, change, two: Made, tmp_path: Path) -> None:
    for name in ("schedule.json", "host/host.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        document = json.loads((two.out / name).read_text())
        (tmp_path / name).write_text(json.dumps(change(document) if name == file else document))
    with pytest.raises(HostError, match="HOST001"):
        read_plan(tmp_path)


def test_the_program_is_copied_and_parameterised_by_data_only(two: Made) -> None:
    shipped = {p.relative_to(PROGRAM).as_posix(): p.read_bytes() for p in PROGRAM.rglob("*.py")}
    there = {p.relative_to(two.out / "host").as_posix(): p.read_bytes() for p in (two.out / "host").rglob("*.py")}
    assert there == shipped and "run.py" in there
    host = json.loads((two.out / "host/host.json").read_text())
    assert len({p["identity"] for p in host["partitions"]}) == 2
    for index, partition in enumerate(host["partitions"]):
        script = (two.out / f"vivado/p{index}/build.tcl").read_text()
        assert f"BITSTREAM.CONFIG.USERID 0x{partition['identity']}" in script


@pytest.mark.parametrize("path", sorted(PROGRAM.rglob("*.py")), ids=lambda p: p.name)
def test_boards_have_old_pythons(path: Path) -> None:
    """3.8 parses it, and it imports what boards have."""
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    imported = {n.name.split(".")[0] for i in ast.walk(tree) if isinstance(i, ast.Import) for n in i.names}
    imported |= {i.module.split(".")[0] for i in ast.walk(tree) if isinstance(i, ast.ImportFrom) and not i.level}
    standard = {"abc", "argparse", "contextlib", "dataclasses", "json", "mmap", "pathlib", "re", "runpy", "subprocess"}
    standard |= {"sys", "tempfile", "time", "typing", "xml", "zipfile", "zlib", "__future__"}
    assert imported <= standard | {"numpy", "pynq", "pyxrt"}
    newer = {"removeprefix", "removesuffix"}
    assert not newer & {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg in ("strict", "slots")]
