"""Untrusted text: any string comes out of Tcl as it went in, and never as a command or an option."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.diagnostics import BuildError
from flow.generate.render import cpp_ident, tcl_quote
from flow.generate.tcl import HlsProject, KernelLink, VivadoProject

NASTY = [
    "", " ", "{", "}", "}{", "{}", "\\", "\\{", "a\\", "[exit 1]", "$HOME", "${x}", 'say "x"', "a;exit 1", "#",
    "-quiet", "~root", "line\nbreak", "tab\there", "cr\r", "back\\\nslash", "{a}}{b", "ü ß 漢", "a b", "*?", "\\x41",
    "\\u0041",
    "{*}{a b}", "\x7f", "\x01",
]  # fmt: skip


def evaluated(words: list[str]) -> list[str]:
    """The words as tclsh sees them, as code points so that no encoding gets in between."""
    lines = [f"set word {word}; puts [lmap c [split $word {{}}] {{scan $c %c}}]" for word in words]
    done = subprocess.run(
        ["tclsh"], input="\n".join(lines), capture_output=True, text=True, encoding="ascii", check=True, timeout=30
    )
    return ["".join(chr(int(n)) for n in line.split()) for line in done.stdout.split("\n")[: len(words)]]


def test_nasty_text_survives() -> None:
    assert evaluated([tcl_quote(text) for text in NASTY]) == NASTY


# NUL and characters beyond the basic multilingual plane are refused.
@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=1, max_codepoint=0xFFFF, exclude_categories=["Cs"])), max_size=50))
def test_any_text_survives(texts: list[str]) -> None:
    assert evaluated([tcl_quote(text) for text in texts]) == texts


@pytest.mark.parametrize("text", ["\0", "a\U0001f600", "\ud800"])
def test_what_tcl_cannot_write_is_an_error(text: str) -> None:
    with pytest.raises(BuildError, match="GEN004"):
        tcl_quote(text)


@pytest.mark.parametrize("text", ["", "1a", "a-b", "a b", "class", "__a", "a__b", "_A", "ü", "a\n", "a;b"])
def test_what_is_no_cpp_name_is_an_error(text: str) -> None:
    with pytest.raises(BuildError, match="GEN003"):
        cpp_ident(text)


HLS = {"top": "top", "part": "xc7z020clg484-1", "clock_period_ns": 10.0, "sources": ("a.cpp",), "testbench": ("t.cpp",)}
VIVADO = {"top": "top", "part": "xc7z020clg484-1", "clock_mhz": 100.0, "bundles": ("gmem_in_0",)}
LINK = {"top": "top", "platform": "xilinx_u50", "clock_mhz": 250.0, "arguments": ("in_0",), "memories": ("HBM[0:3]",)}


@pytest.mark.parametrize(
    ("kind", "values", "change"),
    [
        (HlsProject, HLS, {"part": "-quiet"}),
        (HlsProject, HLS, {"part": "xc7z020; exec rm"}),
        (HlsProject, HLS, {"top": "top [exit]"}),
        (HlsProject, HLS, {"sources": ("a b.cpp",)}),
        (HlsProject, HLS, {"sources": ("-tb",)}),
        (HlsProject, HLS, {"sources": ()}),
        (HlsProject, HLS, {"cflags": ("-DX=1 -DY",)}),
        (HlsProject, HLS, {"cflags": ("`id`",)}),
        (HlsProject, HLS, {"clock_period_ns": float("nan")}),
        (HlsProject, HLS, {"clock_period_ns": 0.0}),
        (HlsProject, HLS, {"uncertainty_percent": 100.0}),
        (HlsProject, HLS, {"flow_target": "quartus"}),
        (VivadoProject, VIVADO, {"bundles": ()}),
        (VivadoProject, VIVADO, {"bundles": ("a", "a")}),
        (VivadoProject, VIVADO, {"bundles": ("a}",)}),
        (VivadoProject, VIVADO, {"board_part": "zc706"}),
        (VivadoProject, VIVADO, {"ps_properties": (("NAME", "1"),)}),
        (VivadoProject, VIVADO, {"memory_ports": 0}),
        (VivadoProject, VIVADO, {"identity": "0123abc]"}),
        (KernelLink, LINK, {"platform": "x\n[clock]"}),
        (KernelLink, LINK, {"memories": ("DDR[0]", "DDR[1]")}),
        (KernelLink, LINK, {"memories": ("DDR[x]",)}),
    ],
)
def test_values_that_cannot_be_meant_are_errors(kind, values, change) -> None:
    kind(**values)
    with pytest.raises(BuildError, match="GEN0"):
        kind(**values | change)
