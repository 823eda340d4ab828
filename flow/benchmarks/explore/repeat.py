"""Same seed, same bytes: whatever the hash seed and the number of workers, killed in the middle or not."""

from __future__ import annotations

import hashlib

from flow.benchmarks.explore.cases import Bench, Case, estimate
from flow.benchmarks.record import Record

CASES = (("lenet5", "zedboard"), ("squeezenet1_1", "zc706"))
COMPARED = ("design", "pareto")
WAYS = (("1", ()), ("2", ()), ("3", ("-n", "2")))
"""PYTHONHASHSEED and doit's options."""


def repeat(bench: Bench, cases: tuple[tuple[str, str], ...] = CASES) -> list[Record]:
    """Digests of design.json and pareto.json of every way to run."""
    records = []
    for network, device in cases:
        what = f"repeat: {network} on {device}"
        digests = []
        for number, (hash_seed, options) in enumerate(WAYS):
            case = Case(f"repeat_{network}_{device}", network, device)
            found = estimate(bench, case, *options, environment={"PYTHONHASHSEED": hash_seed})
            if found.status:
                records.append(found.failed(f"{what}, run {number}"))
                break
            files = [found.folder / "explore" / f"{name}.json" for name in COMPARED]
            digests.append(tuple(hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files))
        else:
            equal = len(set(digests)) == 1
            said = ", ".join(digests[0]) if equal else "; ".join(", ".join(d) for d in digests)
            goal = "equal with three hash seeds, on one and two workers"
            records.append(Record(f"{what}: digests of design.json and pareto.json", said, "", goal, equal))
    return records
