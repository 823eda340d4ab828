"""Modules around streamed weights against what they say: tiles of frames, the last one short, in both modes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from flow.model.simulation import load_schedules
from tests.ip import bench
from tests.ip.bench import Case, Frames
from tests.ip.test_convolution import integers, make_case, random_config
from tests.ip.test_inner_product import random_case

SCHEDULES = load_schedules(bench.TEMPLATES)
FRAMES = (7, 2)


def replay_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = {"pixels": r.choice((1, 1, 6)), "channels": r.randint(1, 9), "coarse": r.randint(1, 3), "data_bits": 12}
    c |= {"slices": r.choice((2, 3, 5)), "tile": r.choice((1, 2, 3, 7))}
    case = Case("replay", c, [])
    for frames in FRAMES:
        x = integers(rng, 12, frames, c["channels"], c["pixels"])
        words = bench.to_words(x, c["coarse"])
        case.calls.append({"in": Frames(words, frames, 3)})
        by_frame = words.reshape(frames, -1, c["coarse"])
        tiles = [by_frame[at : at + c["tile"]] for at in range(0, frames, c["tile"])]
        given = np.concatenate([t for tile in tiles for t in [tile] * c["slices"]])
        case.results.append({"out": Frames(given.reshape(-1, c["coarse"]), frames * c["slices"], 3)})
    return case


def collect_case(r: random.Random, rng: np.random.Generator) -> Case:
    slices, coarse, words = r.choice((2, 3, 4)), r.randint(1, 3), r.randint(1, 3)
    c = {"pixels": r.choice((1, 1, 6)), "channels": slices * coarse * words, "coarse": coarse, "data_bits": 12}
    c |= {"slices": slices, "tile": r.choice((1, 2, 3, 7))}
    case = Case("collect", c, [])
    for frames in FRAMES:
        x = integers(rng, 12, frames, c["channels"], c["pixels"])
        shares = np.split(x, slices, axis=1)
        tiles = [slice(at, at + c["tile"]) for at in range(0, frames, c["tile"])]
        came = np.concatenate([bench.to_words(share[tile], coarse) for tile in tiles for share in shares])
        case.calls.append({"in": Frames(came, frames * slices, 3)})
        case.results.append({"out": Frames(bench.to_words(x, coarse), frames, 3)})
    return case


def streamed(whole: Case, slices: int, tile: int) -> Case:
    """A layer whose filters come `slices` times over: the same weights each time, so that the result is known.

    Its first invocation has three frames, the second one frame.
    """
    c = whole.config | {"slices": slices, "tile": tile}
    case = Case(whole.ip, c, [])
    payload = np.asarray(whole.calls[0]["weights"])[1:]
    for call, result in zip(whole.calls, whole.results, strict=True):
        given, wanted = call["in"], result["out"]
        assert isinstance(given, Frames) and isinstance(wanted, Frames)
        tiles = [range(at, min(at + tile, given.frames)) for at in range(0, given.frames, tile)]
        order = [frame for t in tiles for frame in [*t] * slices]
        taken = given.words.reshape(given.frames, -1, given.words.shape[1])[order].reshape(-1, given.words.shape[1])
        gave = wanted.words.reshape(wanted.frames, -1, wanted.words.shape[1])[order].reshape(-1, wanted.words.shape[1])
        weights = np.concatenate([payload] * slices * len(tiles))
        case.calls.append({"in": Frames(taken, len(order), given.tile), "weights": weights})
        case.results.append({"out": Frames(gave, len(order), wanted.tile)})
    return case


def streamed_cases(count: int) -> list[Case]:
    r, rng = random.Random(11), np.random.default_rng(11)
    cases = [streamed(random_case(r, rng), r.choice((2, 3)), r.choice((1, 2, 4))) for _ in range(count)]
    for seed in range(count):
        config = random_config(r)
        while config["groups"] > 1:
            config = random_config(r)
        cases.append(streamed(make_case(config, seed), r.choice((2, 3)), r.choice((1, 2, 4))))
    return cases


def check(cases: list[Case], folder: Path, mode: str, flags: tuple[str, ...] = ()) -> None:
    expected = [case.results for case in cases]
    bench.run(cases, folder, mode, flags)
    for case, wanted in zip(cases, expected, strict=True):
        trips = 0
        for call, found, one in zip(case.calls, case.results, wanted, strict=True):
            given, out, right = call["in"], found["out"], one["out"]
            assert isinstance(given, Frames) and isinstance(out, Frames) and isinstance(right, Frames)
            assert (out.frames, out.tile) == (right.frames, right.tile), case.config
            assert np.array_equal(out.words, right.words), (case.ip, case.config)
            whole = right.frames if case.ip == "collect" else given.frames
            whole //= 1 if case.ip in ("collect", "replay") else case.config["slices"]
            rounds = SCHEDULES.loops[case.ip].rounds(case.config, whole)
            trips += sum(r.events.trips * r.times for r in rounds)
            assert found["trips"] == trips, (case.ip, case.config)


@pytest.mark.parametrize("mode", ["native", "ap"])
def test_replay_and_collect(tmp_path: Path, mode: str) -> None:
    r, rng = random.Random(4), np.random.default_rng(4)
    cases = [maker(r, rng) for maker in (replay_case, collect_case) for _ in range(12 if mode == "native" else 6)]
    check(cases, tmp_path, mode)


@pytest.mark.parametrize("mode", ["native", "ap"])
def test_slices_take_turns(tmp_path: Path, mode: str) -> None:
    check(streamed_cases(8 if mode == "native" else 3), tmp_path, mode)


def test_late_writes_change_nothing(tmp_path: Path) -> None:
    """Also where a tile is one frame of one word, and a slice one row."""
    r, rng = random.Random(5), np.random.default_rng(5)
    cases = [maker(r, rng) for maker in (replay_case, collect_case) for _ in range(20)]
    check(cases, tmp_path, "native", ("-DCONVMAKE_LATE_WRITES=3",))


def test_an_interval_is_that_of_full_tiles() -> None:
    for case in streamed_cases(12):
        schedule, tile = SCHEDULES.loops[case.ip], case.config["tile"]
        many = sum(r.events.trips * r.times for r in schedule.rounds(case.config, 50 * tile))
        interval = bench.value(case.ip, bench_interval(case.ip), case.config) * case.config["slices"]
        assert 0 <= interval - many / (50 * tile) < case.config["slices"] + many / (50 * tile) / 40


def bench_interval(ip: str) -> str:
    import yaml

    return str(yaml.safe_load((bench.TEMPLATES / ip / "ip.yaml").read_text())["timing"]["interval"])
