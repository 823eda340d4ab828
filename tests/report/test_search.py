"""What the report says of a search."""

from dataclasses import replace

from flow.report.page import render_page
from flow.report.search import searched
from flow.report.terminal import terminal_table
from tests.report import sample

VGG16 = sample.inputs()


def test_what_the_search_added_to_its_seeds() -> None:
    text = searched(VGG16)
    assert "5,760 designs evaluated, 7 on the front" in text and "hypervolume 0.4 to 0.5" in text
    assert "of the seeds" in text and "in the end" in text and "repeatable" not in text
    best = {name: VGG16.search["best"]["search"] for name in ("seeds", "search")}
    assert "kept" in searched(replace(VGG16, search={**VGG16.search, "best": best}))
    none = {"seeds": None, "search": best["search"]}
    assert "no seed fits" in searched(replace(VGG16, search={**VGG16.search, "best": none}))


def test_a_design_without_a_search() -> None:
    assert searched(replace(VGG16, search={})) == "5,760 designs evaluated, 7 on the front"


def test_what_a_clock_ended_is_marked() -> None:
    timed = replace(VGG16, performance={**VGG16.performance, "repeatable": False})
    assert "not repeatable" in render_page(timed) and "not repeatable" in terminal_table(timed)
    assert "not repeatable" not in render_page(VGG16) and "not repeatable" not in terminal_table(VGG16)
