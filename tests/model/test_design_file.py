"""Hand-written designs: every mistake has its place in the file; every key of the schema is described."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow.diagnostics import BuildError
from flow.model.handmade.read import read_design
from tests.model.measured import FOLDER, NAMES, ROOT, design

GOOD = """device: zedboard
clock_mhz: 100
layers:
- {name: a, op: split, in: [2, 6, 6], out: [2, 6, 6], coarse_in: 1, coarse_out: 1, bits: {data: 8}, inputs: []}
- {name: c, op: convolution, in: [2, 6, 6], out: [4, 4, 4], kernel: [3, 3], coarse_in: 1, coarse_out: 2, fine: 9,
   bits: {input: 8, weight: 8}, inputs: [[a, 2]]}
- {name: s, op: squeeze, in: [4, 4, 4], out: [4, 4, 4], coarse_in: 2, coarse_out: 1, bits: {data: 8}, inputs: [[c, 2]]}
"""


def said(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        read_design(path, "mine.yaml")
    return "\n".join(f"{p.file}:{p.line}:{p.column} {p.code} {p.message} ({p.hint})" for p in caught.value.problems)


def test_a_good_design_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    found = read_design(path, "mine.yaml")
    assert [layer.name for layer in found.layers] == ["a", "c", "s"]
    assert found.measured.cycles(100) is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("clock_mhz: 100", "clock_mhz: fast", "mine.yaml:2:12 SPEC004"),
        (
            "clock_mhz: 100",
            "clock_hmz: 100",
            "mine.yaml:2:1 SPEC002 unknown key 'clock_hmz' (did you mean 'clock_mhz'?)",
        ),
        ("op: squeeze", "op: squeze", "(did you mean 'squeeze'?)"),
        ("inputs: [[a, 2]]", "inputs: [[b, 2]]", "SPEC062 there is no layer 'b' above 'c'"),
        ("inputs: [[a, 2]]", "inputs: [[a, two]]", "SPEC004"),
        (
            "out: [4, 4, 4], kernel",
            "out: [4, 5, 4], kernel",
            "SPEC063 convolution 'c' gives 4 x 4 positions, not 5 x 4",
        ),
        ("fine: 9", "fine: 10", "SPEC064 'fine' of 'c' is 10; there are 9 to work on"),
        (
            "coarse_in: 2, coarse_out: 1, bits",
            "coarse_in: 4, coarse_out: 1, bits",
            "SPEC063 's' has 4 streams in, 'c' 2 out",
        ),
        ("name: s", "name: c", "SPEC060 two layers are called 'c'"),
        ("inputs: [[c, 2]]", "inputs: []", "SPEC061 nothing reads 'c'"),
        ("fine: 9,\n", "fine: 9, groups: 3,\n", "SPEC064 3 groups"),
        ("inputs: [[c, 2]]", "inputs: [[c, 2], [a, 2]]", "SPEC061 squeeze 's' has 2 inputs; it needs 1"),
    ],
)
def test_a_mistake_is_named_where_it_is(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = said(tmp_path, GOOD.replace(old, new))
    assert expected in found
    assert all(line.startswith("mine.yaml:") for line in found.splitlines())


def test_every_key_is_described() -> None:
    schema = json.loads((ROOT / "specs" / "schemas" / "design.schema.json").read_text("utf-8"))

    def bare(part: Any, where: str) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.get("properties", {}).items():
                if not value.get("description"):
                    yield f"{where}.{key}"
            for key, value in part.items():
                yield from bare(value, f"{where}.{key}")

    assert not list(bare(schema, ""))


@pytest.mark.parametrize("name", NAMES)
def test_the_measured_designs_are_read_as_they_are(name: str) -> None:
    found = design(name)
    assert found.measured.inferences_per_s and set(found.measured.resources) == {"lut", "ff", "dsp", "bram"}
    assert f"{name}.yaml" in {path.name for path in FOLDER.glob("*.yaml")}


def test_two_published_figures_are_both_kept() -> None:
    assert design("zc706_ic").measured.resources["dsp"] == ((525.0, "README"), (564.0, "results page"))
    assert design("zc706_ic").measured.resources["lut"] == ((108000.0, ""),)
