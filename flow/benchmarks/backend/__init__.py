"""The `onnx` package's own operator cases: how many pass import, emulator and compiled hardware; what the others lack.

Cases of convolution and pooling count whether we support what they use or not; of the other operators those count of
which everything is an operator that we import.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from flow.benchmarks.backend.cases import Case, cases
from flow.benchmarks.backend.chain import Outcome, outcome
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record
from flow.benchmarks.rules import rewrite_steps

__all__ = ["Case", "Outcome", "backend", "cases", "outcome", "summary"]


def backend(bench: Bench) -> list[Record]:
    """Every case through the whole chain."""
    steps = rewrite_steps(bench.root)
    with tempfile.TemporaryDirectory(prefix="backend-", dir=bench.build_dir) as folder:
        outcomes = [outcome(case, steps, Path(folder), hardware=True) for case in cases()]
    return [replace(record, what=f"backend: {record.what}") for record in summary(outcomes)]


def summary(outcomes: Sequence[Outcome]) -> list[Record]:
    """Counts and reasons of both kinds of cases, then every case (in the file only)."""
    windows = [o for o in outcomes if o.case.of_windows]
    others = [o for o in outcomes if not o.case.of_windows]
    return [
        *_counts("convolution and pooling", windows),
        *_counts("other operators", others),
        *_reasons(outcomes),
        *(_case(o) for o in outcomes),
    ]


def _counts(what: str, outcomes: Sequence[Outcome]) -> Iterator[Record]:
    passed = sum(o.passed for o in outcomes)
    wrong = [o.case.name for o in outcomes if o.wrong]
    mapped = [o for o in outcomes if o.passed and o.hardware != "unmapped"]
    equal = sum(o.hardware == "equal" for o in mapped)
    yield Record(f"{what}: cases", len(outcomes), "")
    yield Record(f"{what}: pass import and emulator", passed, "", kind="simulated")
    yield Record(f"{what}: not supported", sum(bool(o.refused) for o in outcomes), "")
    yield Record(f"{what}: wrong", ", ".join(wrong) or "none", "", "none", not wrong, "simulated")
    goal = f"{len(mapped)}, all that map"
    yield Record(f"{what}: compiled hardware, every bit equal", equal, "", goal, equal == len(mapped), "simulated")


def _reasons(outcomes: Sequence[Outcome]) -> Iterator[Record]:
    """How often each code and reason occurs."""
    refused = Counter(o.refused for o in outcomes if o.refused)
    unmapped = Counter(o.reason for o in outcomes if o.hardware == "unmapped")
    for kind, found in (("not supported", refused), ("no hardware", unmapped)):
        yield from (Record(f"{kind}: {reason[:120]}", found[reason], "cases") for reason in sorted(found))


def _case(found: Outcome) -> Record:
    value = found.refused or found.wrong or found.sqnr_db
    name = f"{found.case.folder}/{found.case.name}"
    holds = None if found.refused else not found.wrong
    return Record(name, value, "" if found.refused or found.wrong else "dB", "", holds, "simulated", listed=False)
