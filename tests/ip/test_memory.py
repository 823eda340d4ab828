"""Memory ports and the weights chain: layouts bit by bit, headers, tiles, in both modes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.ip import bench
from tests.ip.bench import Case, Frames
from tests.ip.test_convolution import integers

MODES = pytest.mark.parametrize("mode", ["native", "ap"])
LAYOUTS = [  # channels of a pass, passes, data bits, port bits
    (5, 1, 16, 64),
    (8, 3, 16, 64),
    (11, 1, 8, 64),
    (32, 2, 16, 128),
    (3, 1, 5, 64),
    (1, 1, 24, 128),
]


def layout(channels: int, passes: int, bits: int, port_bits: int) -> dict[str, int]:
    words = bench.ceil_div(channels, port_bits // bench.slot_bits(bits))
    sizes = {"pixels": 6, "channels": channels, "data_bits": bits, "port_bits": port_bits}
    return sizes | {"pixel_stride": passes * words}


def in_memory(x: np.ndarray, c: dict[str, int], tile: int, background: int) -> np.ndarray:
    """(N, C, pixels) at its place in a memory that is otherwise full of `background`."""
    lanes = c["port_bits"] // bench.slot_bits(c["data_bits"])
    words = bench.ceil_div(c["channels"], lanes)
    memory = np.full((len(x) * c["pixels"], c["pixel_stride"], c["port_bits"] // 64), background, dtype=np.uint64)
    packed = bench.pack_slots(bench.to_words(x, lanes), c["data_bits"], c["port_bits"])
    memory[:, tile * words : (tile + 1) * words] = packed.reshape(len(memory), words, -1)
    return memory.reshape(-1, c["port_bits"] // 64)


@MODES
def test_memory_write_puts_every_tile_at_its_place(tmp_path: Path, mode: str) -> None:
    rng = np.random.default_rng(4)
    cases, wanted = [], []
    for channels, passes, bits, port_bits in LAYOUTS:
        c = layout(channels, passes, bits, port_bits)
        lanes, tile = port_bits // bench.slot_bits(bits), passes - 1
        x = integers(rng, bits, 3, channels, c["pixels"])
        wanted.append(in_memory(x, c, tile, 77))
        call = {"in": Frames(bench.to_words(x, lanes), 3, tile), "pointer": np.full_like(wanted[-1], 77)}
        cases.append(Case("memory_write", c, [call]))
    bench.run(cases, tmp_path, mode)
    for case, memory in zip(cases, wanted, strict=True):
        np.testing.assert_array_equal(case.results[0]["pointer"], memory, err_msg=str(case.config))
        assert case.results[0]["trips"] == 3 * bench.sheet("memory_write").evaluate(case.config, "DSP48E2")["interval"]


@MODES
def test_memory_read_sends_header_and_frames(tmp_path: Path, mode: str) -> None:
    rng = np.random.default_rng(5)
    cases, wanted = [], []
    for channels, passes, bits, port_bits in LAYOUTS:
        c = layout(channels, passes, bits, port_bits)
        x = integers(rng, bits, 2, channels, c["pixels"])
        wanted.append(bench.to_words(x, port_bits // bench.slot_bits(bits)))
        cases.append(Case("memory_read", c, [{"pointer": in_memory(x, c, 0, 0), "frames": 2, "tile": 4095}]))
    bench.run(cases, tmp_path, mode)
    for case, words in zip(cases, wanted, strict=True):
        out = case.results[0]["out"]
        assert isinstance(out, Frames)
        assert (out.tile, out.frames) == (4095, 2)
        np.testing.assert_array_equal(out.words, words, err_msg=str(case.config))
        assert case.results[0]["trips"] == 2 * bench.sheet("memory_read").evaluate(case.config, "DSP48E2")["interval"]


@MODES
def test_weights_chain_peels_off_one_part(tmp_path: Path, mode: str) -> None:
    parts = [np.arange(1, n + 1) + 1000 * k for k, n in enumerate((5, 2, 0, 3))]
    blob = bench.port_words([v for part in parts for v in (len(part), *part)], 128)
    split = Case("weights_split", {"port_bits": 128, "layers_after": 3}, [{"in": blob}])
    read = Case("weights_read", {"port_bits": 128}, [{"pointer": blob, "words": len(blob)}])
    bench.run([split, read], tmp_path, mode)
    np.testing.assert_array_equal(split.results[0]["mine"], blob[:6])
    np.testing.assert_array_equal(split.results[0]["rest"], blob[6:])
    np.testing.assert_array_equal(read.results[0]["out"], blob)


def test_reading_an_empty_stream_names_it(tmp_path: Path) -> None:
    program = '#include "stream.hpp"\nint main() { hls::stream<int> s("pixels"); s.write(1); s.read(); s.read(); }\n'
    (tmp_path / "empty.cpp").write_text(program)
    command = ["g++", "-std=c++14", f"-I{bench.TEMPLATES / 'common'}", "empty.cpp", "-o", "empty"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(["./empty"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "'pixels' read while empty" in done.stderr


def test_a_blob_of_another_size_stops_the_simulation(tmp_path: Path) -> None:
    c = {"pixels": 1, "channels": 2, "filters": 2, "coarse_in": 1, "coarse_out": 1, "data_bits": 8, "weight_bits": 8}
    c |= {"out_bits": 8, "acc_bits": 20, "shift": 0, "activation": 0, "clip_min": 0, "clip_max": 0, "alpha": 0}
    c |= {"port_bits": 64, "weights_memory": 0, "slices": 1, "tile": 1}
    call = {"in": Frames(np.zeros((2, 1), dtype=np.int64), 1), "weights": bench.port_words([3, 1, 2, 3], 64)}
    with pytest.raises(AssertionError, match="m0: the weights blob is not of this layer's size"):
        bench.run([Case("inner_product", c, [call])], tmp_path, "native")


def test_every_header_compiles_on_its_own(tmp_path: Path) -> None:
    headers = sorted(path for path in bench.TEMPLATES.glob("*/*.hpp") if path.parent.name != "project")
    assert len(headers) > 20
    folders = [f"-I{folder}" for folder in sorted({path.parent for path in headers})]
    for header in headers:
        command = ["g++", "-std=c++14", "-fsyntax-only", "-x", "c++", "-DCONVMAKE_NATIVE", *folders, str(header)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{header.name}: {done.stderr[:2000]}"
