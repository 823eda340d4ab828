"""What is said of a search: how much it evaluated, what it added to its seeds, whether it can be repeated."""

from __future__ import annotations

from flow.report.records import Document, ReportInputs
from flow.report.text import count, percent, seconds


def searched(inputs: ReportInputs) -> str:
    """One line; only the number of evaluations where there is no more to say."""
    evaluated = f"{count(inputs.performance['evaluations'])} designs evaluated"
    said = [f"{evaluated}, {count(len(inputs.pareto))} on the front"]
    if inputs.search:
        said += [_gain(inputs.search), *_volumes(inputs.search)]
    if not inputs.performance.get("repeatable", True):
        said.append("ended by time: not repeatable")
    return "; ".join(text for text in said if text)


def _gain(search: Document) -> str:
    """What the best design was at first and in the end, in the objective that weighs most."""
    seeds, last = search["best"]["seeds"], search["best"]["search"]
    if not seeds or not last:
        return "no seed fits" if last else ""
    main = max(search["objectives"], key=lambda o: o["weight"])
    before, after = (_shown(best[main["figure"]], main["unit"]) for best in (seeds, last))
    return f"{main['figure']} {before} of the seeds" + (f", {after} in the end" if after != before else ", kept")


def _shown(value: float, unit: str) -> str:
    return seconds(value) if unit == "s" else percent(value) if not unit else f"{value:.4g} {unit}"


def _volumes(search: Document) -> tuple[str, ...]:
    volumes = search["hypervolume"]
    return (f"hypervolume {volumes['seeds']:.4g} to {volumes['search']:.4g}",)
