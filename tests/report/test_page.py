"""The page: well-formed, self-contained, and safe whatever the network's names are."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from flow.report import ReportInputs, render_page
from tests.report import sample

VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "<script>alert('x')</script>\"><img src=x onerror=y>&amp;\x1b[31m\u202e\x00"


class Page(HTMLParser):
    """Tags must close in order; collects tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str, name: str = "") -> int:
        return sum(t == tag and name in (a.get("class") or "").split() for t, a in self.tags)


def renamed(inputs: ReportInputs, name: str) -> ReportInputs:
    """The same report of a network whose every name is `name`."""
    performance: dict[str, Any] = dict(inputs.performance) | dict.fromkeys(("spec", "network", "device"), name)
    layers = tuple(dict(item) | dict.fromkeys(("name", "node", "origin"), name) for item in inputs.layers)
    verification: dict[str, Any] = dict(inputs.verification or {})
    verification["modules"] = [m | {"module": name, "node": name} for m in verification["modules"]]
    verification["tensors"] = [t | {"tensor": name, "degenerate": True} for t in verification["tensors"]]
    verification["modes"] = [name]
    return replace(
        inputs,
        performance=performance,
        layers=layers,
        design={"partitions": [{"reloaded": name} for _ in performance["partition_figures"]]},
        verification=verification,
        commands=((name, name),),
    )


VGG16 = sample.inputs(sample.vgg16(), (4, 7, 12, 18), "vgg16_zc706", 256, passes=4)
DEEP = sample.inputs(sample.deep(110), tuple(range(3, 110, 3)), "deep_u50", 64, passes=40)


@pytest.mark.parametrize("inputs", [sample.inputs(), sample.inputs(sample.LENET[:1]), VGG16, DEEP])
def test_page_is_well_formed(inputs: ReportInputs) -> None:
    page = Page(render_page(inputs))
    assert str(inputs.performance["spec"]) in page.text
    for heading in ("Distance to the bound", "Resources", "Pipeline", "Layers", "Pareto front", "Verification"):
        assert heading in page.text


def test_headline_says_what_is_modelled() -> None:
    page = Page(render_page(VGG16))
    assert "4.55 fps" in page.text and "bit-exact" in page.text
    assert page.count("span", "modelled") >= 5
    assert page.count("span", "simulated") == 1


def test_energy_has_a_card() -> None:
    text = Page(render_page(VGG16)).text
    assert "energy a frame" in text and "800 mJ" in text and "± 60.0 %" in text


def test_names_cannot_become_markup() -> None:
    text = render_page(renamed(VGG16, EVIL))
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object"}
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert "<script>alert('x')</script>" in page.text
    assert not set(text) & set("\x1b\u202e\x00")


def test_page_asks_nothing_of_a_network() -> None:
    text = render_page(VGG16)
    page = Page(text)
    links = [attrs[key] for _, attrs in page.tags for key in ("href", "src") if key in attrs]
    assert links == ["data:,"]
    assert "url(" not in text and "@import" not in text
    policy = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and "default-src 'none'" in str(policy[0])


def test_every_layer_is_drawn_and_the_bottlenecks_are_marked() -> None:
    page = Page(render_page(VGG16))
    assert page.count("rect", "box") == len(VGG16.layers)
    assert page.count("g", "slow") == 5
    rows = [a for t, a in page.tags if t == "td" and "net.onnx#" in (a.get("title") or "")]
    assert len(rows) == len(VGG16.layers)


def test_many_partitions_are_folded_away() -> None:
    page = Page(render_page(DEEP))
    bands = [a for t, a in page.tags if t == "details" and a.get("class") == "band"]
    assert len(bands) == 37 + 1
    assert [("open" in a) for a in bands[:2]] == [True, False]
    assert page.count("rect", "seg-reconfigure") == 37


def test_without_simulation() -> None:
    page = Page(render_page(replace(VGG16, verification=None)))
    assert "not simulated" in page.text and page.count("span", "simulated") == 0


def test_without_labels_or_reference() -> None:
    empty = dict.fromkeys(("accuracy", "float_accuracy", "sqnr_db", "top1_agreement", "emulated"))
    page = Page(render_page(replace(VGG16, verification=dict(VGG16.verification or {}) | empty)))
    assert "no labels" in page.text and "–" in page.text


def test_accuracy_with_its_interval() -> None:
    text = Page(render_page(VGG16)).text
    assert "98.9 %" in text and "98.0 % – 99.4 % (95 %)" in text


def test_a_difference_is_not_hidden() -> None:
    bad = dict(VGG16.verification or {}) | {"csim_equals_emulator": False, "max_abs_difference": 3}
    page = Page(render_page(replace(VGG16, verification=bad)))
    assert page.count("div", "bad") == 1 and "differs from the emulator by up to 3" in page.text


def test_passes_that_did_not_run_are_told() -> None:
    ran = [{"partition": 0, "passes": [0]}]
    page = Page(render_page(replace(VGG16, verification=dict(VGG16.verification or {}) | {"partitions": ran})))
    assert "not what the schedule asks for" in page.text


def test_over_a_limit_is_red() -> None:
    performance = dict(VGG16.performance)
    performance["resources"] = dict(performance["resources"]) | {"dsp": 900}
    assert Page(render_page(replace(VGG16, performance=performance))).count("div", "full") == 1


def test_no_front() -> None:
    assert "Pareto" not in Page(render_page(replace(VGG16, pareto=()))).text


def test_fifos_are_shown_as_simulated() -> None:
    page = Page(render_page(replace(sample.inputs(), fifos=sample.fifos())))
    assert ("section", {"id": "fifos"}) in page.tags
    assert "4 FIFOs, 2 of them at joins, 4 BRAM18 in all" in page.text
    assert "m1_fork → m7_add" in page.text and "stops" in page.text and "1 %" in page.text


def test_without_sized_fifos_there_is_no_section() -> None:
    assert ("section", {"id": "fifos"}) not in Page(render_page(sample.inputs())).tags
