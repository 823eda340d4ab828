"""What only a synthesis tool sees: the code behind __SYNTHESIS__ compiles, and every pragma is a documented one."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.ip import bench
from tests.ip.bench import Case
from tests.ip.test_channelwise import MAKERS
from tests.ip.test_convolution import make_case, random_config
from tests.ip.test_gates import MAKERS as GATES
from tests.ip.test_inner_product import random_case
from tests.ip.test_memory import layout
from tests.ip.test_movement import MAKERS as MOVERS
from tests.ip.test_slices import collect_case, replay_case, streamed_cases

DOCUMENTED = {
    "ARRAY_PARTITION": {"variable", "complete", "dim"},
    "BIND_OP": {"variable", "op", "impl"},
    "BIND_STORAGE": {"variable", "type", "impl"},
    "DEPENDENCE": {"variable", "inter", "RAW", "distance", "true"},
    "INLINE": {"off"},
    "LOOP_FLATTEN": set(),
    "PIPELINE": {"II"},
    "UNROLL": set(),
}
"""Pragmas and options used, all in UG1399 from 2020.1 on."""

HEADERS = sorted(p for p in bench.TEMPLATES.glob("*/*.hpp") if p.parent.name != "project")
TYPES = {
    "in": "hls::stream<convmake::word<{lanes}, {bits}> > &{name}",
    "port_in": "hls::stream<convmake::port_word<{bits}> > &{name}",
    "memory_in": "const convmake::port_word<{bits}> *{name}",
    "memory_out": "convmake::port_word<{bits}> *{name}",
    "scalar": "int {name}",
}
TYPES |= {"out": TYPES["in"], "port_out": TYPES["port_in"]}


def top(k: int, case: Case) -> str:
    """A function that calls one instance."""
    ends = bench.arguments(case.ip, case.config)
    members = "\n".join(f"    static const int {name} = {v};" for name, v in case.config.items())
    formal = ", ".join(TYPES[a.kind].format(**vars(a)) for a in ends)
    call = f"{case.ip}<m{k}_config>({', '.join(a.name for a in ends)});"
    return f"struct m{k}_config {{\n{members}\n}};\nvoid top_{k}({formal}) {{ {call} }}\n"


def test_code_for_synthesis_compiles(tmp_path: Path) -> None:
    r, rng = random.Random(7), np.random.default_rng(7)
    cases = [maker(r, rng) for maker, _ in (MAKERS | GATES | MOVERS).values()]
    cases += [random_case(r, rng), *(make_case(random_config(r), k) for k in range(4))]
    cases += [Case("memory_read", layout(5, 1, 16, 64), []), Case("memory_write", layout(5, 2, 16, 64), [])]
    cases += [Case("weights_read", {"port_bits": 64}, [])]
    cases += [Case("slices_read", {"port_bits": 64, "words": 9, "tile": 2}, [])]
    cases += [replay_case(r, rng), collect_case(r, rng), *streamed_cases(2)]
    cases += [Case("weights_split", {"port_bits": 64, "layers_after": 1}, [])]
    includes = "".join(f'#include "{ip}.hpp"\n' for ip in sorted({case.ip for case in cases}))
    tops = "\n".join(top(k, case) for k, case in enumerate(cases))
    # The open ap_int headers refuse synthesis, so they come first.
    source = f"#define AP_INT_MAX_W 4096\n#include <ap_int.h>\n#define __SYNTHESIS__\n{includes}\n{tops}"
    (tmp_path / "tops.cpp").write_text(source)
    folders = [f"-I{folder}" for folder in sorted({p.parent for p in HEADERS})]
    command = ["g++", "-std=c++14", "-fsyntax-only", "-isystem", str(bench.TEMPLATES / "ap_types")]
    command += [f"-I{bench.HERE / 'synthesis'}", *folders, "tops.cpp"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_pragmas_are_documented_and_name_what_exists(header: Path) -> None:
    text = header.read_text()
    for directive, options in re.findall(r"#pragma HLS (\w+)([^\n]*)", text):
        assert directive in DOCUMENTED, directive
        words = dict(word.partition("=")[::2] for word in options.split())
        assert set(words) <= DOCUMENTED[directive], f"{directive}{options}"
        if name := words.get("variable"):
            code = re.sub(r"(#pragma|//)[^\n]*", "", text)
            assert re.search(rf"\b{name}\b", code), f"{directive} names '{name}', which is not in {header.name}"


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_every_loop_that_ticks_is_pipelined(header: Path) -> None:
    lines = header.read_text().splitlines()
    for i, line in enumerate(lines):
        if line.strip() in ("CONVMAKE_TICK();", "CONVMAKE_TICK_LOAD();"):
            assert any("PIPELINE II=1" in above for above in lines[i - 2 : i]), f"{header.name}:{i + 1}"


def test_every_ip_is_complete() -> None:
    for sheet in bench.TEMPLATES.glob("*/ip.yaml"):
        ip = sheet.parent.name
        names = {path.name for path in sheet.parent.iterdir()}
        assert names == {"ip.yaml", "instance.jinja", "README.md", f"{ip}.hpp"}
        header = (sheet.parent / f"{ip}.hpp").read_text()
        used = set(re.findall(r"\b(?:c|config)::(\w+)", header))
        assert used <= set(bench.sheet(ip).parameters), ip
