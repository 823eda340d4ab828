"""The measurements of exploration on networks small enough for a test."""

import json
from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks import run_group
from flow.benchmarks.explore.against import against
from flow.benchmarks.explore.baselines import Baselines
from flow.benchmarks.explore.brute import SMALL, best_of_all, small_case
from flow.benchmarks.explore.cases import Bench, Case, estimate, searched, simulated_fps
from flow.benchmarks.explore.declared import DENSENET161, RESNET152, densenet, resnet
from flow.benchmarks.explore.table import table
from flow.diagnostics import BuildError
from flow.explore.objectives import goal_of
from flow.explore.population import evaluate_population
from flow.frontend import build_layers
from flow.spec import Constraints, resolve
from tests.explore import devices, networks
from tests.explore.runs import explored, space_of

ROOT = Path(__file__).parents[2]
FEW = "explore: {generations: 2, population: 16}\n"


def bench(folder: Path) -> Bench:
    return Bench(ROOT, folder, lambda text: None)


@pytest.mark.slow
def test_a_table_of_one_design(tmp_path: Path) -> None:
    """Figures are those of the run's own files; CPU time and memory are those of a process."""
    records = {r.what.partition(": ")[2]: r for r in table(bench(tmp_path), (("lenet5", "zedboard"),))}
    performance = json.loads((tmp_path / "table_lenet5_zedboard/explore/performance.json").read_text())
    name = "lenet5 on zedboard"
    assert records[f"{name}: throughput"].value == performance["throughput_fps"]
    assert records[f"{name}: bound_ratio"].value == performance["bound_ratio"]
    assert 1 < float(str(records[f"{name}: CPU"].value)) < 600
    assert 30 < float(str(records[f"{name}: peak memory"].value)) < 4000
    assert records[f"{name}: timed simulation"].kind == "simulated"
    assert performance["clock_mhz"] == 200 and performance["batch"] == 256


def test_what_fails_is_a_record(tmp_path: Path) -> None:
    records = table(bench(tmp_path), (("lenet5", "nowhere"),))
    assert records[0].holds is False and "SPEC008" in str(records[0].value)


@pytest.mark.slow
def test_searches_are_compared_on_one_reference(tmp_path: Path) -> None:
    records = {r.what: r for r in against(bench(tmp_path), (("lenet5", "zedboard"),), FEW)}
    name = "search: lenet5 on zedboard"
    assert records[f"{name}: hypervolume, seeds"].holds == (
        records[f"{name}: hypervolume, seeds"].value < records[f"{name}: hypervolume, search"].value
    )
    for kind in ("seeds", "search", "random", "greedy", "annealing"):
        assert 0 <= float(str(records[f"{name}: hypervolume, {kind}"].value)) < 1
    assert records["search: more hypervolume than its seeds (of 1)"].value in (0, 1)


def test_baselines_spend_what_they_are_given_and_repeat() -> None:
    space = space_of(networks.chain((8, 8, 8)), devices.device(64, 60, 60_000, reconfiguration_s=1e-6), 64)
    made = Baselines(space, goal_of("throughput", Constraints()))
    drawn = made.drawn(made.search(), 400)
    figures = evaluate_population(space, drawn)
    assert len(np.unique(drawn.cuts, axis=0)) > 2 and (figures.illegal == 0).all() and (figures.violation == 0).any()
    reloadable = any(len(p.tables) > 1 for p in space.positions)
    assert not reloadable or (figures.passes > 1).any()
    for kind in ("random", "greedy", "annealing"):
        first, second = (getattr(made, kind)(2000) for _ in range(2))
        assert 2000 - 48 <= first.evaluations <= 2000 and len(first.values)
        assert np.array_equal(first.values, second.values)
    assert made.annealing(4000).values[:, 0].min() <= made.random(200).values[:, 0].min()


def test_brute_force_is_what_the_search_finds() -> None:
    graph, device = networks.chain((4, 6)), devices.device(20, 40, 12_000)
    seconds, count = best_of_all(space_of(graph, device, 8), latency=False)
    found = explored(graph, device, 8, generations=10, population=32).performance
    assert 8 / found.throughput_fps == pytest.approx(seconds, rel=1e-9) and count > 1000


def test_the_small_networks_are_read(tmp_path: Path) -> None:
    for number, (_, filters, shape, resources) in enumerate(SMALL):
        spec = tmp_path / f"small_{number}.yaml"
        spec.write_text(small_case(number, filters, shape, resources, "latency").text(ROOT))
        build = resolve(spec, ROOT)
        assert len(build.network.layers) == len(filters) and build.objective == "latency"


def test_what_counts_as_simulated(tmp_path: Path) -> None:
    folder = tmp_path / "x" / "explore"
    folder.mkdir(parents=True)
    points = [{"throughput_fps": 4.0, "latency_s": 0.2}, {"throughput_fps": 3.0, "latency_s": 0.1}]
    (folder / "pareto.json").write_text(json.dumps({"points": points}))
    found = _found(tmp_path)
    for kind, wanted in (("simulated", 3.9), ("modelled", None)):
        performance = {"throughput_fps": 3.9, "kind": {"interval": kind}}
        (folder / "performance.json").write_text(json.dumps(performance))
        assert simulated_fps(found) == wanted
    assert (searched(found), searched(found, latency=True)) == (4.0, 0.1)


def _found(folder: Path) -> object:
    from flow.benchmarks.explore.cases import Estimate

    return Estimate(Case("x", "lenet5", "zedboard"), 0, "", 0.0, 0.0, folder / "x")


@pytest.mark.parametrize(
    ("text", "macs", "parameters"), [(resnet(RESNET152), 11.51e9, 60.1e6), (densenet(DENSENET161), 7.73e9, 28.6e6)]
)
def test_declared_networks_have_their_papers_size(tmp_path: Path, text: str, macs: float, parameters: float) -> None:
    case = Case("large", text, "u250")
    spec = tmp_path / "large.yaml"
    spec.write_text(case.text(ROOT))
    graph = build_layers(resolve(spec, ROOT).network)
    counted = sum(n.op.macs(graph.input_shapes(n)) for n in graph.nodes)
    stored = sum(int(np.prod(w.shape)) for name, w in graph.weights.items() if name.endswith("weight"))
    assert counted == pytest.approx(macs, rel=0.02) and stored == pytest.approx(parameters, rel=0.02)


def test_a_part_alone_keeps_the_others_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flow.benchmarks import groups
    from flow.benchmarks.record import Record

    parts = {name: (lambda b, n=name: [Record(f"{n}: figure", b.build_dir.name, "")]) for name in ("one", "two")}
    monkeypatch.setitem(groups.GROUPS, "explore", groups.Group(groups.GROUPS["explore"].run, "", parts))
    said: list[str] = []
    assert run_group("explore", ROOT, tmp_path, say=said.append).count(": figure") == len(said) == 2
    for part in ("one", "two", "one"):
        run_group("explore", ROOT, tmp_path, part=part)
    kept = json.loads((tmp_path / "explore.json").read_text())["records"]
    assert sorted(r["what"] for r in kept) == ["one: figure", "two: figure"]
    monkeypatch.setattr(groups, "_code", lambda root: "another")
    run_group("explore", ROOT, tmp_path, part="two")
    kept = json.loads((tmp_path / "explore.json").read_text())["records"]
    assert [r["what"] for r in kept] == ["two: figure"], "other code's figures are not kept"
    for name, part in (("explore", "tabel"), ("speed", "table")):
        with pytest.raises(BuildError, match="CLI009"):
            run_group(name, ROOT, tmp_path, part=part)


@pytest.mark.slow
def test_an_estimate_runs_again_and_knows_its_environment(tmp_path: Path) -> None:
    case = Case("again", "lenet5", "zedboard", FEW)
    first = estimate(bench(tmp_path), case)
    second = estimate(bench(tmp_path), case, "-n", "2", environment={"PYTHONHASHSEED": "5"})
    assert first.status == second.status == 0 and "explore" in second.output, "the search ran twice"
    assert first.read("pareto") == second.read("pareto")
