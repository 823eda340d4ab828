"""A calibration as YAML, and its quality as a table for people."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flow.model.calibration import FITTED, Cost
from flow.tools.calibration.calibrate import Calibrated
from flow.tools.calibration.fit import FLOOR, Fit, Told

_HEAD = """# Written by `doit calibrate`; a spec uses it by
#   calibration: {file: THIS FILE}
# The error of a resource is that of a module's total, predicted by the other modules alone; one without a sample has
# that of the estimates. The error of a coefficient is one standard deviation.
"""
_MOST_SHOWN = 10


def calibration_yaml(done: Calibrated) -> str:
    """The file; same reports, same bytes."""
    lines = [_HEAD + f"source: {json.dumps(_source(done), ensure_ascii=False)}", "modules:"]
    for ip in sorted({ip for ip, _ in done.prior.costs}):
        lines.append(f"  {ip}:")
        for resource in FITTED:
            if (ip, resource) in done.prior.costs:
                lines.append(f"    {resource}:")
                lines += _cost(done.prior.costs[ip, resource], done.fits.get((ip, resource)))
    return "\n".join(lines) + "\n"


def _source(done: Calibrated) -> str:
    samples = done.reports.samples
    placed = sum(s.where == "implementation" for s in samples)
    builds = ", ".join(sorted({s.build for s in samples}))
    tools = f"; {', '.join(done.reports.tools)}" if done.reports.tools else ""
    counts = f"{len(samples) - placed} by synthesis, {placed} by implementation"
    return f"doit calibrate: {len(samples)} modules and FIFOs of {builds} ({counts}){tools}"[:2000]


def _cost(prior: Cost, found: Fit | None) -> Iterator[str]:
    if found is None:
        yield f"      error: {_percent(prior.error)}"
        yield f"      source: {_text(f'no report: {prior.source}')}"
        yield "      terms:"
        for name, coefficient in prior.terms.items():
            yield f"        {name}: {coefficient.value:.6g}"
        return
    yield f"      error: {_percent(_stated(prior, found))}"
    yield f"      source: {_text(_quality(found))}"
    yield "      terms:"
    for name, told in found.terms.items():
        note = f", source: {_text(_note(told, found))}"
        yield f"        {name}: {{value: {told.value:.6g}, error: {_percent(told.error)}{note}}}"


def _stated(prior: Cost, found: Fit) -> float:
    """Leave-one-out where it can be; samples that are all alike say nothing of others."""
    if found.kept:
        return max(found.before, prior.error)
    return prior.error if found.left_out is None else max(found.left_out, FLOOR)


def _quality(found: Fit) -> str:
    if found.left_out is None:
        alike = f"{found.samples} modules that are all alike" if found.samples > 1 else "1 module"
        return f"fit to {alike}: nothing is left to check it with, the error is that of the estimates"
    checked = f"leave-one-out {_percent(found.left_out)} (RMS), worst {_percent(found.worst or 0.0)}"
    if found.kept:
        return f"estimates kept: a fit to {found.samples} modules predicts no better, {checked}"
    return f"fit to {found.samples} modules: {checked}, estimates {_percent(found.before)}"


def _note(told: Told, found: Fit) -> str:
    if found.kept:
        return "estimate"
    if not told.seen:
        return "estimate: no report has this"
    if told.partners:
        return f"fit together with {', '.join(told.partners)} in the estimates' proportions: no report tells them apart"
    return "fit"


def _percent(value: float) -> str:
    return f"{round(min(100 * value, 999999), 2):g} %"


def _text(value: str) -> str:
    return json.dumps(value[:2000], ensure_ascii=False)


def table(done: Calibrated) -> str:
    """What was fitted and how far it can be believed."""
    rows = [("IP", "resource", "samples", "estimates", "left out", "worst", "")]
    for (ip, resource), found in sorted(done.fits.items()):
        left = "-" if found.left_out is None else _percent(found.left_out)
        worst = "-" if found.worst is None else _percent(found.worst)
        together = sorted({n for n, told in found.terms.items() if told.partners})
        unseen = sorted(n for n, told in found.terms.items() if not told.seen)
        notes = ["estimates kept: they predict better"] if found.kept else []
        notes += [f"not told apart: {', '.join(together)}"] if together and not found.kept else []
        notes += [f"in no report: {', '.join(unseen)}"] if unseen else []
        rows.append((ip, resource, str(found.samples), _percent(found.before), left, worst, "; ".join(notes)))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[6]]).rstrip() for row in rows]
    return "\n".join((_source(done), "", *lines, "", *_checks(done))) + "\n"


def _checks(done: Calibrated) -> Iterator[str]:
    said = (f"{name} {same} of {total}" for name, (same, total) in done.exact.items() if total)
    yield f"as the data sheets say, exactly: {', '.join(said) or 'nothing to compare'}"
    yield from (f"  {line}" for line in done.different[:_MOST_SHOWN])
    if len(done.different) > _MOST_SHOWN:
        yield f"  and {len(done.different) - _MOST_SHOWN} more"
    reached, loops = done.initiation
    if loops:
        yield f"initiation interval 1: {reached} of {loops} pipelined loops"
    if done.reports.unmatched:
        named = ", ".join(done.reports.unmatched[:_MOST_SHOWN])
        more = len(done.reports.unmatched) - _MOST_SHOWN
        yield f"in no report: {named}{f' and {more} more' if more > 0 else ''}"
