"""The report's files: stable names, the same bytes every time, and nothing half written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flow.ir import canonical_json
from flow.report import ReportInputs, read_inputs, write_report
from tests.report import sample
from tests.report.contract import KINDS, LAYER, PERFORMANCE, departures

FILES = {"performance.json", "layers.json", "pareto.json", "index.html"}
CASES = {
    "lenet": sample.inputs(),
    "vgg16": sample.inputs(sample.vgg16(), (4, 7, 12, 18), "vgg16_zc706", 256, passes=4),
    "one_layer": sample.inputs(sample.LENET[:1], verified=False),
    "deep": sample.inputs(sample.deep(110), tuple(range(3, 110, 3)), "deep_u50", 64, passes=8),
}


@pytest.mark.parametrize("inputs", CASES.values(), ids=CASES)
def test_files_keep_the_contract(inputs: ReportInputs, tmp_path: Path) -> None:
    summary = write_report(inputs, tmp_path / "report")
    assert summary == (tmp_path / "report" / "index.html").as_posix()
    assert {p.name for p in (tmp_path / "report").iterdir()} == FILES
    performance = json.loads((tmp_path / "report" / "performance.json").read_text())
    assert not list(departures(performance, PERFORMANCE, "performance.json"))
    assert set(performance["kind"].values()) <= KINDS
    layers = json.loads((tmp_path / "report" / "layers.json").read_text())
    assert not [d for k, item in enumerate(layers) for d in departures(item, LAYER, f"layers.json[{k}]")]
    front = json.loads((tmp_path / "report" / "pareto.json").read_text())
    assert sum(point["chosen"] for point in front["points"]) == 1 and front.keys() == {*inputs.search, "points"}


def test_contract_finds_departures() -> None:
    performance = dict(sample.inputs().performance) | {"batch": True, "kind": {}}
    del performance["latency_s"]
    found = list(departures(performance, PERFORMANCE, "p"))
    assert "p: no latency_s" in found and "p.batch: True has the wrong type" in found
    assert "p.kind: no throughput" in found


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(CASES["vgg16"], tmp_path / name)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_json_is_canonical(tmp_path: Path) -> None:
    write_report(CASES["lenet"], tmp_path)
    text = (tmp_path / "layers.json").read_text(encoding="utf-8")
    assert text == canonical_json(json.loads(text))


def test_a_failing_report_leaves_the_old_one(tmp_path: Path) -> None:
    write_report(CASES["lenet"], tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    broken = replace(CASES["vgg16"], layers=({"name": "no other key"},))
    with pytest.raises(KeyError):
        write_report(broken, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_inputs_are_read_from_the_artefacts(tmp_path: Path) -> None:
    wanted = replace(CASES["vgg16"], fifos=sample.fifos())
    for folder in ("explore", "report"):
        (tmp_path / folder).mkdir()
    for name in ("performance", "layers", "pareto", "design", "fifos"):
        value = getattr(wanted, name)
        value = {**wanted.search, "points": list(value)} if name == "pareto" else value
        text = canonical_json(list(value) if isinstance(value, tuple) else value)
        (tmp_path / "explore" / f"{name}.json").write_text(text, encoding="utf-8")
    assert read_inputs(tmp_path / "explore") == replace(wanted, verification=None, commands=())
    (tmp_path / "report" / "verification.json").write_text(canonical_json(wanted.verification), encoding="utf-8")
    assert read_inputs(tmp_path / "explore", tmp_path / "report", wanted.commands) == wanted
