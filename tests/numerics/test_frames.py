"""Frames: seeded ones are reproducible one by one; a network's own are scaled, checked and explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.numerics import (
    calibration_frames,
    calibration_inputs,
    check_data,
    seeded_frames,
    unseen_frames,
    unseen_inputs,
)
from flow.spec import Data

IMAGES = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)


@pytest.fixture
def data(tmp_path):
    np.savez(tmp_path / "set.npz", calibration=IMAGES, test_images=IMAGES[:, None], test_labels=np.arange(5))
    return Data(tmp_path / "set.npz", "set.npz", "calibration", "test_images", "test_labels", 0.5, (1.0,), (2.0,))


def test_a_seeded_frame_depends_on_its_index_alone():
    few, many = seeded_frames((3, 4, 4), 2, 7), seeded_frames((3, 4, 4), 5, 7)
    np.testing.assert_array_equal(few, many[:2])
    assert few.dtype == np.float32
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(few, seeded_frames((3, 4, 4), 2, 8))
    assert not np.array_equal(few, seeded_frames((3, 4, 4), 2, 7, "test"))


def test_images_are_scaled_and_normalised(data):
    frames = calibration_frames(data, (1, 4, 4), seed=0)
    np.testing.assert_allclose(frames, (IMAGES[:, None] * 0.5 - 1) / 2)
    unseen, labels = unseen_frames(data, (1, 4, 4), 0, 3)
    assert (unseen.shape, labels.tolist()) == ((3, 1, 4, 4), [0, 1, 2])


def test_without_data_frames_are_seeded():
    frames, labels = unseen_frames(None, (1, 4, 4), 0, 3)
    assert labels is None
    assert not np.array_equal(frames, calibration_frames(None, (1, 4, 4), 0, 3))


def test_every_input_has_noise_of_its_own(data):
    inputs = (("x", (1, 4, 4)), ("y", (1, 4, 4)))
    seen, (unseen, labels) = calibration_inputs(None, inputs, 0, 3), unseen_inputs(None, inputs, 0, 3)
    assert list(seen) == list(unseen) == ["x", "y"] and labels is None
    frames = [*seen.values(), *unseen.values()]
    assert len({values.tobytes() for values in frames}) == 4
    np.testing.assert_array_equal(seen["x"], calibration_frames(None, (1, 4, 4), 0, 3))


@pytest.mark.parametrize("inputs_of", [calibration_inputs, unseen_inputs])
def test_images_belong_to_one_input(data, inputs_of):
    assert inputs_of(data, (("x", (1, 4, 4)),), 0, 3)
    with pytest.raises(BuildError, match=r"NUM005.*but the network has 2: 'x', 'y'"):
        inputs_of(data, (("x", (1, 4, 4)), ("y", (1, 4, 4))), 0, 3)


@pytest.mark.parametrize(
    ("change", "shape", "words"),
    [
        ({"calibration": "calibrate"}, (1, 4, 4), "no array 'calibrate'"),
        ({}, (1, 8, 8), "shape (1, 4, 4), the network's input (1, 8, 8)"),
        ({"path": "absent.npz"}, (1, 4, 4), "cannot be read"),
    ],
)
def test_data_that_does_not_fit_is_one_clear_error(data, change, shape, words):
    changed = replace(data, **({k: Path(v) if k == "path" else v for k, v in change.items()}))
    with pytest.raises(BuildError) as raised:
        calibration_frames(changed, shape, seed=0)
    (problem,) = raised.value.problems
    assert problem.code == "NUM005"
    assert words in problem.message


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"calibration": np.array([{}], object)}, ["'calibration' cannot be read: it holds Python objects"]),
        ({"calibration": np.array(["a"])}, ["of type <U1, not of numbers"]),
        ({"calibration": np.full((1, 4, 4), np.nan)}, ["NaN or infinity"]),
        ({"test_labels": np.array([0, 1, 2, 3, 5])}, ["labels are 0 to 5, the network's classes 0 to 4"]),
        ({"test_labels": np.array([-1, 0])}, ["5 test images but 2 labels", "labels are -1 to 0"]),
        ({"test_labels": np.zeros((5, 2))}, ["not one whole number an image"]),
        ({"calibration": IMAGES[:, 1:], "test_labels": np.zeros(0)}, ["(1, 3, 4)", "'test_labels' is empty"]),
    ],
)
def test_all_that_is_wrong_with_data_is_said_at_once(data, arrays, words):
    good = {"calibration": IMAGES, "test_images": IMAGES, "test_labels": np.arange(5)}
    np.savez(data.path, **good)
    check_data(data, (1, 4, 4), 5)
    np.savez(data.path, **(good | arrays))
    with pytest.raises(BuildError) as raised:
        check_data(data, (1, 4, 4), 5)
    assert len(raised.value.problems) == len(words)
    assert all(word in str(raised.value) for word in words)
