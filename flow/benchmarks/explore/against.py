"""What the genetic algorithm adds: to its seeds, and beside other searches at equal evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from flow.benchmarks.explore.baselines import Baselines
from flow.benchmarks.explore.cases import Bench, Case, Estimate, estimate
from flow.benchmarks.explore.spaces import space_of_spec
from flow.benchmarks.record import Record, at_least
from flow.explore.hypervolume import hypervolume, reference_of
from flow.explore.objectives import goal_of
from flow.spec import Constraints

Floats = npt.NDArray[np.float64]

CASES = tuple((n, d) for n in ("vgg16", "resnet18", "squeezenet1_1") for d in ("zc706", "zcu102", "u250"))
GREEDY, ANNEALING, RANDOM = "greedy", "annealing", "random"


def against(bench: Bench, cases: Sequence[tuple[str, str]] = CASES, extra: str = "") -> list[Record]:
    """Hypervolumes on one reference point a case, and the best throughput of each search."""
    records, wins = [], dict.fromkeys(("seeds", RANDOM, ANNEALING), 0)
    compared = 0
    for network, device in cases:
        name = f"search: {network} on {device}"
        found = estimate(bench, Case(f"search_{network}_{device}", network, device, extra))
        if found.status:
            records.append(found.failed(name))
            continue
        fronts = _fronts(bench, found)
        records += _compared(name, fronts, found)
        volumes = _volumes(fronts)
        wins = {other: count + (volumes["search"] > volumes[other]) for other, count in wins.items()}
        compared += 1
    if compared:
        all_of_them = f" (of {compared})"
        records += [
            at_least(
                f"search: more hypervolume than its seeds{all_of_them}", wins["seeds"], "cases", 6 * len(cases) / 9
            ),
            at_least(f"search: more hypervolume than random search{all_of_them}", wins[RANDOM], "cases", len(cases)),
            at_least(f"search: more hypervolume than annealing{all_of_them}", wins[ANNEALING], "cases", len(cases)),
        ]
    return records


def _fronts(bench: Bench, found: Estimate) -> dict[str, Floats]:
    """Objectives of the fronts, by search; the seeds' and the search's own from its pareto.json."""
    pareto = found.read("pareto")
    names = [o["figure"] for o in pareto["objectives"]]
    fronts = {
        "seeds": np.array([[s[n] for n in names] for s in pareto["seeds"]]).reshape(-1, len(names)),
        "search": np.array([[p["objectives"][n] for n in names] for p in pareto["points"]]),
    }
    spec = bench.build_dir / "specs" / f"{found.case.name}.yaml"
    baselines = Baselines(space_of_spec(bench, spec), goal_of("throughput", Constraints()))
    for kind in (RANDOM, GREEDY, ANNEALING):
        bench.say(f"{kind} search, {pareto['evaluations']} evaluations: {found.case.name}")
        fronts[kind] = getattr(baselines, kind)(pareto["evaluations"]).values
    return fronts


def _volumes(fronts: Mapping[str, Floats]) -> dict[str, float]:
    reference = reference_of([front for front in fronts.values() if len(front)])
    return {name: hypervolume(front, reference) for name, front in fronts.items()}


def _compared(name: str, fronts: Mapping[str, Floats], found: Estimate) -> list[Record]:
    volumes, pareto = _volumes(fronts), found.read("pareto")
    adds = volumes["search"] > volumes["seeds"]
    faster = pareto["best"]["search"] != pareto["best"]["seeds"]
    said = ("a larger front" if adds else "nothing to the front") + (", a faster design" if faster else "")
    records = [
        Record(f"{name}: evaluations of each search", pareto["evaluations"], ""),
        Record(f"{name}: the search adds to its seeds", said, "", kind="modelled"),
    ]
    for kind, volume in volumes.items():
        goal = f"< {volumes['search']:.6g}" if kind in ("seeds", RANDOM, ANNEALING) else ""
        holds = volume < volumes["search"] if goal else None
        records.append(Record(f"{name}: hypervolume, {kind}", volume, "", goal, holds, "modelled"))
        fps = float(1 / fronts[kind][:, 0].min()) if len(fronts[kind]) else None
        records.append(Record(f"{name}: best design, {kind}", fps, "fps", kind="modelled"))
    return records


def ablation(bench: Bench, cases: Sequence[tuple[str, str]] = CASES) -> list[Record]:
    """The default search beside one without generations: exact seeds and the final polish alone."""
    records = []
    for network, device in cases:
        name = f"ablation: {network} on {device}"
        whole = estimate(bench, Case(f"whole_{network}_{device}", network, device))
        bare = estimate(bench, Case(f"bare_{network}_{device}", network, device, "explore: {generations: 0}\n"))
        for item in (whole, bare):
            if item.status:
                records.append(item.failed(name))
        if whole.status or bare.status:
            continue
        fps, without = (item.read("performance")["throughput_fps"] for item in (whole, bare))
        said = f"{100 * (fps / without - 1):+.2f} % fps, {len(whole.read('pareto')['points'])} points on the front "
        said += f"for {len(bare.read('pareto')['points'])}" + ("" if fps > without else ": no faster design")
        records += [
            Record(f"{name}: with generations", fps, "fps", kind="modelled"),
            Record(f"{name}: without", without, "fps", kind="modelled"),
            Record(f"{name}: the generations add", said, "", kind="modelled"),
        ]
    return records
