"""Generated sources pass the lint; each of these mutations is rejected with its code."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest

from flow.generate.contexts import partition_context
from flow.generate.lint import Signatures, lint
from flow.generate.project import signature
from flow.generate.render import render

from . import designs


@cache
def generated(name: str) -> tuple[str, Signatures]:
    """Source of a design's first partition."""
    partition = getattr(designs, name)().hardware.partitions[0]
    signatures = {m.ip: signature(m.ip) for m in partition.modules}
    context = partition_context(partition, True, signatures)
    return render("project/partition.cpp.jinja", {"partition": context}), signatures


@pytest.mark.parametrize("name", ["classifier", "residual", "concatenation", "depthwise", "reloaded"])
def test_generated_sources_pass(name: str) -> None:
    assert lint(*generated(name)) == ()


def swap(old: str, new: str) -> Callable[[str], str]:
    def mutate(source: str) -> str:
        assert old in source
        return source.replace(old, new, 1)

    return mutate


def rewrite(pattern: str, new: str) -> Callable[[str], str]:
    def mutate(source: str) -> str:
        changed, count = re.subn(pattern, new, source, count=1, flags=re.MULTILINE)
        assert count == 1
        return changed

    return mutate


def added(line: str) -> Callable[[str], str]:
    return lambda source: source.rstrip().removesuffix("}") + f"    {line}\n}}\n"


def moved_up(source: str, call: str) -> str:
    """The line with `call` as the first call."""
    lines = source.splitlines(keepends=True)
    line = next(text for text in lines if text.lstrip().startswith(call))
    lines.remove(line)
    first = next(i for i, text in enumerate(lines) if text.lstrip().startswith("memory_read<"))
    return "".join((*lines[:first], line, *lines[first:]))


FORK = r"^ *fork<(\w+)>\((\w+), (\w+), (\w+)\);\n"
ADD = r"^ *add<(\w+)>\((\w+), (\w+), (\w+)\);\n"
MUTATIONS = {
    "no dataflow pragma": ("GEN041", swap("#pragma HLS DATAFLOW\n", "")),
    "dataflow pragma in a comment": ("GEN041", swap("#pragma HLS DATAFLOW", "// #pragma HLS DATAFLOW")),
    "two functions": ("GEN040", lambda source: source + "void other() {}\n"),
    "unbalanced": ("GEN040", swap("#pragma HLS DATAFLOW", "#pragma HLS DATAFLOW\n    (")),
    "if": ("GEN042", rewrite(FORK, r"    if (in_0_frames > 0) { fork<\1>(\2, \3, \4); }\n")),
    "if without a block": ("GEN042", rewrite(FORK, r"    if (in_0_frames > 0) fork<\1>(\2, \3, \4);\n")),
    "loop": ("GEN042", added("for (int i = 0; i < 2; ++i) {}")),
    "loop around a call": ("GEN042", rewrite(FORK, r"    for (;;) fork<\1>(\2, \3, \4);\n")),
    "return": ("GEN042", added("return;")),
    "variable": ("GEN042", added("int copy = in_0_frames;")),
    "assignment": ("GEN042", added("in_0_frames = 1;")),
    "access of a stream": ("GEN042", added("s0.read();")),
    "expression as an argument": ("GEN042", swap("in_0_frames, in_0_tile, ", "in_0_frames + 1, in_0_tile, ")),
    "block": ("GEN042", added("{ }")),
    "array of streams": ("GEN042", rewrite(r"> s0\(\"s0\"\);", "> s0[2];")),
    "two producers": ("GEN043", rewrite(ADD, r"    add<\1>(\2, \3, \4);\n    add<other>(\2, \3, \4);\n")),
    "no consumer": ("GEN043", rewrite(ADD, "")),
    "stream that nobody uses": (
        "GEN043",
        swap("#pragma HLS DATAFLOW", '    hls::stream<int> s99("s99");\n#pragma HLS STREAM variable=s99 depth=2'),
    ),
    "fork's outputs swapped with its input": ("GEN043", rewrite(FORK, r"    fork<\1>(\3, \2, \4);\n")),
    "both inputs the same": ("GEN043", rewrite(ADD, r"    add<\1>(\2, \2, \4);\n")),
    "port read by two": ("GEN044", added("memory_read<other>(in_0, in_0_frames, in_0_tile, s0);")),
    "port that nobody uses": ("GEN044", swap("    port_t *out_0,", "    port_t *out_0, port_t *out_1,")),
    "ports share a master": ("GEN044", swap("bundle=gmem_out_0", "bundle=gmem_in_0")),
    "port without an interface": ("GEN044", rewrite(r"^#pragma HLS INTERFACE m_axi port=out_0 .*\n", "")),
    "scalar read by two": ("GEN045", added("weights_read<other>(weights, in_0_frames, s0);")),
    "scalar that nobody reads": ("GEN045", swap("int in_0_tile,", "int in_0_tile, int extra,")),
    "scalar read twice by one": ("GEN045", swap("in_0_frames, in_0_tile, ", "in_0_tile, in_0_tile, ")),
    "scalar without a register": ("GEN045", rewrite(r"^#pragma HLS INTERFACE s_axilite port=in_0_tile .*\n", "")),
    "no control register": ("GEN045", rewrite(r"^#pragma HLS INTERFACE s_axilite port=return .*\n", "")),
    "no depth": ("GEN046", rewrite(r"^#pragma HLS STREAM variable=s1 .*\n", "")),
    "depth of 0": ("GEN046", rewrite(r"variable=s1 depth=\d+", "variable=s1 depth=0")),
    "depth of another stream": ("GEN046", swap("variable=s1 depth", "variable=s0 depth")),
    "unknown process": ("GEN047", rewrite(ADD, r"    ad<\1>(\2, \3, \4);\n")),
    "argument missing": ("GEN047", rewrite(ADD, r"    add<\1>(\2, \4);\n")),
    "port for a stream": ("GEN047", rewrite(ADD, r"    add<\1>(out_0, \3, \4);\n")),
    "unknown name": ("GEN047", rewrite(ADD, r"    add<\1>(s77, \3, \4);\n")),
    "consumer first": ("GEN048", lambda source: moved_up(source, "memory_write<")),
    "shared configuration": ("GEN049", rewrite(ADD, r"    add<m0_memory_read_config>(\2, \3, \4);\n")),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutations_are_rejected(name: str) -> None:
    code, mutate = MUTATIONS[name]
    source, signatures = generated("residual")
    mutated = mutate(source)
    assert mutated != source
    found = lint(mutated, signatures, "p.cpp")
    assert code in {p.code for p in found}, [p.message for p in found]
    assert all(p.file == "p.cpp" and 0 < p.line <= mutated.count("\n") + 1 for p in found)


def test_hint_names_the_process() -> None:
    source, signatures = generated("residual")
    found = lint(re.sub(r"\badd<", "addd<", source), signatures)
    assert any(p.hint == "did you mean 'add'?" for p in found)
