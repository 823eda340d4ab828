"""Every memory of the templates is bound, and the data sheets count what is bound.

The counts are taken from the C++ itself: the headers are compiled as a synthesis tool sees them, with each BIND_STORAGE
pragma replaced by code that writes down kind, banks, depth and width of the array that it names.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flow.model.datasheet import load_catalogue
from tests.ip import bench
from tests.ip.bench import Case
from tests.ip.test_channelwise import random_pool
from tests.ip.test_convolution import random_config
from tests.ip.test_slices import collect_case, replay_case
from tests.ip.test_synthesis_source import HEADERS as ALL_HEADERS
from tests.ip.test_synthesis_source import TYPES

HEADERS = [h for h in ALL_HEADERS if h.name != "timed.hpp"]
"""What synthesis sees: the timed simulation is never part of it."""
CATALOGUE = load_catalogue(bench.TEMPLATES, "DSP48E2")
DECLARED = re.compile(r"^\s*(?:static |const |constexpr )*[\w:<>, ]+ (\w+)((?:\[[^\]]+\])+);", re.MULTILINE)
TYPEDEF = re.compile(r"typedef .*?(\w+)((?:\[[^\]]+\])+);")
BOUND = re.compile(r"#pragma HLS BIND_STORAGE variable=(\w+) type=ram_s2p impl=(\w+)")


def synthesised(header: Path) -> str:
    """The text without comments and without what only simulation compiles."""
    text = re.sub(r"//[^\n]*", "", header.read_text())
    kept, shown = [], [True]
    for line in text.splitlines():
        word = line.strip()
        if re.match(r"#if(n?)def|#if ", word):
            hidden = re.match(r"#ifdef (CONVMAKE_\w+)$|#ifndef __SYNTHESIS__$", word)
            shown.append(shown[-1] and not hidden)
        elif word.startswith("#else"):
            # The other side of a condition that was hidden is what synthesis sees, and the other way round.
            shown[-1] = shown[-2] and not shown[-1]
        elif word.startswith("#endif"):
            shown.pop()
        elif shown[-1]:
            kept.append(line)
    return "\n".join(kept)


def arrays(text: str, types: dict[str, int]) -> Iterator[tuple[str, int, int]]:
    """(name, dimensions, position) of every array that is declared, by brackets or by a type that has them."""
    for match in DECLARED.finditer(text):
        if "typedef" not in match.group(0) and "return" not in match.group(0):
            yield match.group(1), match.group(2).count("["), match.start()
    for name, dimensions in types.items():
        for match in re.finditer(rf"^\s*(?:static )?(?:typename )?(?:[\w:<>]+::)?{name} (\w+);", text, re.MULTILINE):
            yield match.group(1), dimensions, match.start()
    for match in re.finditer(r"CONVMAKE_BANKS\(T, banks, depth\);", text):
        yield "words", 2, match.start()


def scope(text: str, position: int) -> str:
    """The outermost class, or function outside classes, around a position: namespaces do not count."""
    bare = re.sub(r"namespace \w+ \{", lambda m: " " * len(m.group(0)), text)
    starts, depth = [0], 0
    for at, mark in enumerate(bare):
        if mark == "{":
            depth += 1
            if depth == 1:
                starts.append(at)
        elif mark == "}":
            depth = max(0, depth - 1)
            if depth == 0 and at > position:
                return text[starts[-1] : at]
    return text


def constant_tables(text: str) -> list[tuple[int, int]]:
    """Extents of types whose only objects are constants; each of those is bound to LUTs as a ROM."""
    made = re.findall(r"static constexpr (?:typename )?(?:\w+::)?(\w*table) (\w+) = \{\};", text)
    for _, name in made:
        assert f"#pragma HLS BIND_STORAGE variable={name} type=rom_np impl=lutram" in text, name
    kinds = {kind for kind, _ in made}
    starts = [m.start() for m in re.finditer(r"struct (\w*table) \{", text) if m.group(1) in kinds]
    return [(start, text.index("};", start)) for start in starts]


TYPES_OF_ARRAYS = {
    name: brackets.count("[") for h in HEADERS for name, brackets in TYPEDEF.findall(synthesised(h)) if name != "type"
}


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_every_array_is_registers_or_bound(header: Path) -> None:
    text = synthesised(header)
    tables = constant_tables(text)
    for name, dimensions, position in arrays(text, TYPES_OF_ARRAYS):
        if any(start < position < end for start, end in tables):
            continue  # a ROM, bound where it is made
        around = scope(text, position)
        whole = re.search(rf"ARRAY_PARTITION variable={name} complete dim=0", around) or (
            dimensions == 1 and re.search(rf"ARRAY_PARTITION variable={name} complete", around)
        )
        banks = re.search(rf"ARRAY_PARTITION variable={name} complete dim=1", around)
        bound = re.search(rf"BIND_STORAGE variable={name} type=ram_s2p impl=(bram|lutram|uram)", around)
        assert whole or (dimensions == 2 and banks and bound), f"{header.name}: nothing says where '{name}' lies"


def test_the_arrays_that_there_are_are_found() -> None:
    found = {(h.name, name) for h in HEADERS for name, _, _ in arrays(synthesised(h), TYPES_OF_ARRAYS)}
    assert {("memory.hpp", "words"), ("weights.hpp", "ram"), ("weights.hpp", "bias"), ("weights.hpp", "chunk")} <= found
    assert {("convolution.hpp", "taps"), ("convolution.hpp", "values"), ("accumulator.hpp", "running")} <= found
    assert {("window.hpp", "front"), ("width_converter.hpp", "waiting"), ("inner_product.hpp", "values")} <= found


def test_no_product_is_left_to_the_tool() -> None:
    """Whether DSPs or LUTs multiply a counter is never the tool's choice."""
    types = (bench.TEMPLATES / "common/types.hpp").read_text()
    assert re.findall(r"BIND_OP variable=product op=mul impl=(\w+)", types) == ["dsp", "fabric"]
    running = re.compile(
        r"(\w+\.)?(value|position)\(\) \*|\b(tile|frames?|step|divisor|sum) \*|\* \w+\.(value|position)\(\)"
    )
    found = {(h.name, m.group(0)) for h in HEADERS for m in running.finditer(synthesised(h))}
    # In a constant expression, and by a constant power of two.
    assert found <= {("mean.hpp", "divisor *"), ("requantise.hpp", "sum *")}
    assert running.search("start = frame * (pixels)") and running.search("i.value() * co + o")


# Counts


def weighted(r: random.Random, memory: int) -> dict[str, int]:
    """A convolution with deep memories of all kinds."""
    c = random_config(r)
    c |= {"weights_memory": memory, "port_bits": r.choice((64, 128)), "in_w": c["in_w"] + r.choice((0, 70, 700))}
    padded = c["in_w"] + c["pad_w0"] + c["pad_w1"]
    return c | {"out_w": (padded - c["kernel_w"]) // c["stride_w"] + 1}


def inner(r: random.Random, memory: int) -> dict[str, int]:
    c = {"pixels": r.randint(1, 9), "channels": r.randint(1, 300), "filters": r.choice((5, 60, 700)), "activation": 1}
    c |= {
        "coarse_in": r.randint(1, 5),
        "coarse_out": r.randint(1, 7),
        "data_bits": 16,
        "weight_bits": r.choice((4, 8, 16)),
    }
    c |= {"out_bits": 8, "acc_bits": r.randint(24, 45), "shift": 3, "clip_min": 0, "clip_max": 0, "alpha": 0}
    return c | {"port_bits": r.choice((64, 128)), "weights_memory": memory, "slices": 1, "tile": 1}


def cases() -> list[Case]:
    r = random.Random(21)
    made = [Case("convolution", weighted(r, k % 3), []) for k in range(12)]
    made += [Case("inner_product", inner(r, k % 3), []) for k in range(9)]
    made += [Case("inner_product", inner(r, k) | {"slices": 3, "tile": 2}, []) for k in range(3)]
    ungrouped = (weighted(r, k % 3) for k in range(12))
    made += [Case("convolution", c | {"slices": 2, "tile": 1}, []) for c in ungrouped if c["groups"] == 1]
    rng = np.random.default_rng(1)
    made += [Case(case.ip, case.config | {"tile": tile}, []) for tile in (1, 90) for case in tiled(r, rng)]
    pools = [random_pool(r) for _ in range(6)]
    made += [Case("pool", c | {"in_w": c["in_w"] + wide}, []) for c in pools for wide in (0, 300)]
    sizes = (
        {"pixels": 49, "channels": n, "coarse": 2, "data_bits": 16, "kind": k} for n in (5, 90, 900) for k in (0, 1)
    )
    return made + [Case("global_pool", c, []) for c in sizes]


def tiled(r: random.Random, rng: np.random.Generator) -> list[Case]:
    return [maker(r, rng) for maker in (replay_case, collect_case) for _ in range(4)]


def program(several: list[Case]) -> str:
    """Calls every instance with streams that end at once."""
    parts = []
    for k, case in enumerate(several):
        members = "\n".join(f"    static const int {name} = {v};" for name, v in case.config.items())
        ends = bench.arguments(case.ip, case.config)
        streams = "\n".join("    " + TYPES[a.kind].format(**vars(a)).replace("&", "") + ";" for a in ends)
        names = ", ".join(a.name for a in ends)
        call = f"void run_{k}() {{\n{streams}\n    {case.ip}<m{k}_config>({names});\n}}"
        parts.append(f"struct m{k}_config {{\n{members}\n}};\n{call}")
    calls = "\n".join(f'    std::printf("= {k}\\n");\n    run_{k}();' for k in range(len(several)))
    return "\n".join(parts) + f"\nint main() {{\n{calls}\n}}\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, list[tuple[str, int, int, int]]]]:
    """Every case with the memories that its C++ binds: (kind, banks, depth, width)."""
    folder, several = tmp_path_factory.mktemp("memories"), cases()
    for header in HEADERS:
        text = BOUND.sub(r'recorder::record("\2", \1);', header.read_text())
        (folder / header.name).write_text(text)
    (folder / "hls_stream.h").write_text('#include "recorder.hpp"\n')
    includes = "".join(f'#include "{ip}.hpp"\n' for ip in sorted({case.ip for case in several}))
    opening = '#define AP_INT_MAX_W 4096\n#include <ap_int.h>\n#define __SYNTHESIS__\n#include "recorder.hpp"\n'
    (folder / "main.cpp").write_text(opening + includes + program(several))
    command = ["g++", "-std=c++14", "-w", "-isystem", str(bench.TEMPLATES / "ap_types"), f"-I{bench.HERE}", "-I."]
    done = subprocess.run([*command, "main.cpp", "-o", "main"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    said = subprocess.run(["./main"], cwd=folder, capture_output=True, text=True, check=True).stdout
    blocks = [block.split("\n")[1:-1] for block in said.split("= ")[1:]]
    lines = [[(w[0], *map(int, w[1:])) for w in (line.split() for line in block)] for block in blocks]
    return list(zip(several, lines, strict=True))  # type: ignore[arg-type]


def blocks(depth: int, width: int) -> int:
    """Block RAMs of 18 Kb, by trying each shape of UG473 and UG573: so many side by side, so many behind each other."""
    shapes = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
    return min(-(-depth // d) * -(-width // w) for d, w in shapes)


def test_block_rams_are_those_that_the_code_binds(recorded) -> None:
    seen = 0
    for case, memories in recorded:
        bound = sum(banks * blocks(depth, width) for kind, banks, depth, width in memories if kind == "bram")
        assert CATALOGUE.evaluate(case.ip, case.config)["bram18"] == bound, (case.ip, case.config, memories)
        seen += bound > 0
    assert seen > 15


def test_uram_is_what_the_code_binds(recorded) -> None:
    seen = 0
    for case, memories in recorded:
        bound = sum(b * -(-depth // 4096) * -(-width // 72) for kind, b, depth, width in memories if kind == "uram")
        assert CATALOGUE.evaluate(case.ip, case.config)["uram"] == bound, (case.ip, case.config, memories)
        seen += bound > 0
    assert seen >= 7


def test_lutram_bits_are_those_that_the_code_binds(recorded) -> None:
    seen = 0
    for case, memories in recorded:
        counted = CATALOGUE.sheets[case.ip].counts(case.config, "lut", "DSP48E2")["lutram_bit"]
        bound = sum(b * width * -(-depth // 64) for kind, b, depth, width in memories if kind == "lutram")
        assert counted == bound, (case.ip, case.config, memories)
        seen += bound > 0
    assert seen > 15


def test_by_hand() -> None:
    """A 3 x 3 convolution of 64 channels and filters, 2 x 4 in parallel, 9 window positions, frames 56 wide."""
    c = weighted(random.Random(1), 0) | {
        "channels": 64, "filters": 64, "groups": 1, "coarse_in": 2, "coarse_out": 4, "coarse_group": 1, "fine": 9,
        "in_d": 1, "in_h": 56, "in_w": 56, "out_d": 1, "out_h": 56, "out_w": 56, "kernel_d": 1, "kernel_h": 3,
        "kernel_w": 3, "stride_d": 1, "stride_h": 1, "stride_w": 1, "pad_d0": 0, "pad_d1": 0, "pad_h0": 1, "pad_h1": 1,
        "pad_w0": 1, "pad_w1": 1, "data_bits": 16, "weight_bits": 16, "out_bits": 16, "acc_bits": 40, "port_bits": 64,
        "activation": 1,
    }  # fmt: skip
    # Weights: 72 multipliers in 18 words of 4 x 16 bits, 32 * 16 = 512 rows: two 512 x 36 each.
    # Rows: two delays of 58 * 32 = 1856 words of 32 bits: 2K x 9 four times. Columns, sums and biases lie in LUTs.
    figures = CATALOGUE.evaluate("convolution", c)
    assert figures["bram18"] == 18 * 2 + 2 * 4
    assert (figures["dsp"], figures["uram"]) == (72, 0)
    assert CATALOGUE.evaluate("convolution", c | {"weights_memory": 2})["uram"] == 18
