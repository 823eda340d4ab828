"""Which loads, passes and buffers a schedule asks for."""

from __future__ import annotations

import io

import pytest

from flow.diagnostics import BuildError
from flow.generate.blobs import plan, weighted, write_blobs
from flow.generate.schedule import schedule

from .designs import Sample, classifier, reloaded, residual


def runs(sample: Sample, steady: bool = False) -> list[tuple[int, int, str]]:
    """(partition, tile, load) of every invocation."""
    made = schedule(sample.hardware, sample.realised)
    steps = made.steady_state if steady else made.steps
    return [(s.partition, s.tile, s.blob.load if s.blob else "") for s in steps if s.action == "run"]


def test_one_partition_keeps_its_weights() -> None:
    sample = classifier()
    made = schedule(sample.hardware, sample.realised)
    assert [s.action for s in made.steps] == ["configure", "run"]
    assert [s.action for s in made.steady_state] == ["run"]
    assert runs(sample) == [(0, 0, "all")]
    assert runs(sample, steady=True) == [(0, 0, "none")]


def test_reloading_brings_the_first_pass_back() -> None:
    assert runs(reloaded()) == [(0, 0, "all"), (0, 1, "reloaded"), (0, 2, "reloaded")]
    assert runs(reloaded(), steady=True) == [(0, 0, "reloaded"), (0, 1, "reloaded"), (0, 2, "reloaded")]


def test_reconfiguration_loads_everything_again() -> None:
    sample = residual(cuts=(1, 3))
    made = schedule(sample.hardware, sample.realised)
    assert made.steps == made.steady_state
    assert [s.action for s in made.steps] == ["configure", "run"] * 3
    assert [b.role for b in made.buffers] == ["input", "intermediate", "intermediate", "output"]


def test_batch_fits_the_header() -> None:
    sample = classifier(batch=1 << 20)
    with pytest.raises(BuildError, match="GEN021"):
        schedule(sample.hardware, sample.realised)


@pytest.mark.parametrize("resident", [True, False])
def test_blobs_lie_where_the_schedule_says(resident: bool) -> None:
    """Every blob is a header a layer with its payload, and they fill the file."""
    sample = reloaded()
    partition = sample.hardware.partitions[0]
    file = io.BytesIO()
    write_blobs(partition, sample.realised, resident, file)
    data, blobs = file.getvalue(), plan(partition, resident)
    assert len(data) == 8 * sum(b.words for b in blobs)
    for blob in blobs:
        at, headers = blob.offset * 8, []
        for _ in weighted(partition):
            headers.append(int.from_bytes(data[at : at + 8], "little"))
            at += 8 * (1 + headers[-1])
        assert at == 8 * (blob.offset + blob.words)
        carried = {"all": 2, "reloaded": 1, "none": 0}[blob.load]
        assert sum(h > 0 for h in headers) == carried


def test_weights_too_large_for_their_word_are_refused() -> None:
    sample = classifier()
    sample.realised.integers["c/weight"][0, 0, 0, 0] = 0  # type: ignore[index]
    wide = dict(sample.realised.integers)
    wide["c/weight"] = wide["c/weight"].astype("int64") + 40000
    object.__setattr__(sample.realised, "integers", wide)
    with pytest.raises(BuildError, match="GEN020"):
        write_blobs(sample.hardware.partitions[0], sample.realised, True, io.BytesIO())
