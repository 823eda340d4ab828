"""What scripts, sources and command lines use is in a table of documents and pages, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from flow.generate.processing_system import processing_system
from flow.generate.render import TEMPLATES
from flow.generate.tcl import KernelLink, link_config
from flow.tools.vendor import Tool, command_line

from .cases import HLS, VIVADO, hls_script, vivado_script

TABLE = yaml.safe_load((Path(__file__).parent / "documented.yaml").read_text())
CAPITALS = r"CONFIG\.([A-Z][A-Z0-9_]*)"


def scripts() -> str:
    """Every case's script, the templates as they stand, and what the processing systems can add to them."""
    made = [vivado_script(project) for project in VIVADO.values()]
    raw = [path.read_text() for path in sorted((TEMPLATES / "project").glob("vivado*.jinja"))]
    data = [repr(processing_system(family)) for family in ("zynq7000", "zynquplus")]
    return "\n".join([*made, *raw, *data])


def config(text: str) -> set[str]:
    """`CONFIG.NAME`, but not the middle of `BITSTREAM.CONFIG.NAME`."""
    return set(re.findall(rf"(?<![\w.]){CAPITALS}", text))


def properties(text: str) -> set[str]:
    """Names of other properties that are set or read."""
    found = set(re.findall(r"set_property (?:-name )?(\{[^}$]+\}|[A-Za-z][\w.]*)", text))
    found |= set(re.findall(r"get_property ([A-Z]+) ", text))
    return {name.strip("{}") for name in found if not name.startswith("CONFIG.")}


def automation(text: str) -> set[str]:
    return {
        name
        for block in re.findall(r"-config \[list \\\n(.*?)\]", text, re.S)
        for name in re.findall(r"^    (\w+) ", block, re.M)
    }


def pragmas(text: str) -> dict[str, set[str]]:
    """Kind of pragma to its options, `a=b` as `a`."""
    found: dict[str, set[str]] = {}
    for line in re.findall(r"#\s*pragma HLS (.*)", re.sub(r"\{\{.*?\}\}", "0", text)):
        kind, *words = line.split()
        found.setdefault(kind, set()).update(word.partition("=")[0] for word in words if not word.startswith('"'))
    return found


def sources() -> str:
    kept = [p for p in TEMPLATES.rglob("*") if p.suffix in (".hpp", ".jinja") and "ap_types" not in p.parts]
    return "\n".join(path.read_text() for path in sorted(kept))


def undocumented(used: set[str], entries: dict[str, object]) -> set[str]:
    return {name for name in used if not any(re.fullmatch(pattern, name) for pattern in entries)}


def stale(used: set[str], entries: dict[str, object]) -> set[str]:
    return {pattern for pattern in entries if not any(re.fullmatch(pattern, name) for name in used)}


@pytest.mark.parametrize(("kind", "find"), [("config", config), ("properties", properties), ("automation", automation)])
def test_scripts_use_what_is_documented(kind: str, find) -> None:
    used = find(scripts())
    assert used and not undocumented(used, TABLE[kind]) and not stale(used, TABLE[kind])


def test_sources_use_pragmas_that_are_documented() -> None:
    used = pragmas(sources())
    assert set(used) == set(TABLE["pragmas"])
    for kind, options in used.items():
        assert options == set(TABLE["pragmas"][kind]["options"]), kind


def test_links_use_keys_that_are_documented() -> None:
    text = link_config(KernelLink("partition_0", "xilinx_u50", 250.0, ("in_0",), ("HBM[0:3]",)))
    used = set(re.findall(r"^\[?([\w-]+)[\]=]", text, re.M))
    assert used == set(TABLE["link"])


@pytest.mark.parametrize(
    ("name", "program"),
    [("vivado", "vivado"), ("vitis_hls", "vitis_hls"), ("vitis_hls", "vitis-run"), ("v++", "v++")],
)
def test_programs_are_called_as_documented(name: str, program: str) -> None:
    words = command_line(Tool(name, Path("bin") / program, (2024, 1)), "build.tcl")
    assert list(words[1:-1]) == TABLE["programs"][program]["options"] and words[-1] == "build.tcl"


def test_every_entry_names_a_document_and_a_page() -> None:
    kinds = [kind for kind in TABLE if kind != "flow_defaults"]
    for name, entry in ((n, e) for kind in kinds for n, e in TABLE[kind].items()):
        assert re.fullmatch(r"(UG|PG)\d{3,4}", entry["document"]) and entry["page"], name
        marks = {key: value for key, value in entry.items() if key not in ("document", "page", "options")}
        assert set(marks) <= {"checked", "scripts"} and all(value is True for value in marks.values()), name


def test_what_is_not_in_the_table_is_found() -> None:
    """The finders see names where templates put them."""
    assert undocumented(config("set_property CONFIG.PCW_USE_S_AXI_ACP 1 $system"), TABLE["config"]) == {
        "PCW_USE_S_AXI_ACP"
    }
    assert undocumented(properties("set_property STRATEGY x [get_runs synth_1]"), TABLE["properties"]) == {"STRATEGY"}
    assert "style" in pragmas("#pragma HLS PIPELINE II=1 style=flp")["PIPELINE"]
    assert stale({"NUM_SI"}, TABLE["config"])


@pytest.mark.parametrize("case", HLS)
def test_scripts_state_every_default_that_differs(case: str) -> None:
    """Between versions, or between flows of one version: an independent list of what the tool assumes by itself."""
    text = hls_script(HLS[case])
    differing = [
        n
        for n, versions in TABLE["flow_defaults"].items()
        if len({str(v) for both in versions.values() for v in both}) > 1
    ]
    assert len(differing) >= 5
    for name in differing:
        command, _, option = name.partition(" ")
        assert re.search(rf"^(config_where_known )?{command}\b.*{re.escape(option)}\b", text, re.M), name
