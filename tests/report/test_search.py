"""What the report says of a search."""

from dataclasses import replace

from flow.report.page import render_page
from flow.report.search import searched
from flow.report.terminal import terminal_table
from tests.report import sample

SEARCHED = sample.inputs()


def test_what_the_search_added_to_its_seeds() -> None:
    text = searched(SEARCHED)
    assert "5,760 designs evaluated, 7 on the front" in text and "hypervolume 0.4 to 0.5" in text
    assert "of the seeds" in text and "in the end" in text and "repeatable" not in text
    best = {name: SEARCHED.search["best"]["search"] for name in ("seeds", "search")}
    assert "kept" in searched(replace(SEARCHED, search={**SEARCHED.search, "best": best}))
    none = {"seeds": None, "search": best["search"]}
    assert "no seed fits" in searched(replace(SEARCHED, search={**SEARCHED.search, "best": none}))


def test_a_design_without_a_search() -> None:
    assert "doit pick spec=lenet5_zedboard" in render_page(SEARCHED)
    assert "doit pick" not in render_page(replace(SEARCHED, search={}))
    assert searched(replace(SEARCHED, search={})) == "5,760 designs evaluated, 7 on the front"


def test_what_a_clock_ended_is_marked() -> None:
    timed = replace(SEARCHED, performance={**SEARCHED.performance, "repeatable": False})
    assert "not repeatable" in render_page(timed) and "not repeatable" in terminal_table(timed)
    assert "not repeatable" not in render_page(SEARCHED) and "not repeatable" not in terminal_table(SEARCHED)
