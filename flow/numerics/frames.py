"""Frames to calibrate and to measure with: a network's own images, or seeded noise where it has none."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.ir import Array, Shape
from flow.spec import Data


def seeded_frames(shape: Shape, count: int, seed: int, purpose: str = "calibration") -> Array:
    """Standard normal frames (count, *shape), float32; a frame depends on seed, purpose and its index alone."""
    key = zlib.crc32(purpose.encode())
    frames = np.empty((count, *shape), np.float32)
    for index in range(count):
        frames[index] = np.random.default_rng([seed, key, index]).standard_normal(shape, dtype=np.float32)
    return frames


def calibration_frames(data: Data | None, shape: Shape, seed: int, count: int = 8) -> Array:
    """All of the data's calibration images as floats (N, *shape), or `count` seeded frames without data."""
    if data is None:
        return seeded_frames(shape, count, seed)
    return _normalised(data, _array(data, data.calibration), shape)


def unseen_frames(data: Data | None, shape: Shape, seed: int, count: int) -> tuple[Array, Array | None]:
    """The first `count` test images as floats (N, *shape) with their labels; seeded frames have none."""
    if data is None:
        return seeded_frames(shape, count, seed, "test"), None
    images, labels = _array(data, data.test)[:count], _array(data, data.labels)[:count]
    if len(images) != len(labels):
        raise _problem(data, f"{len(images)} test images but {len(labels)} labels")
    return _normalised(data, images, shape), labels


def calibration_inputs(
    data: Data | None, inputs: Sequence[tuple[str, Shape]], seed: int, count: int = 8
) -> dict[str, Array]:
    """Calibration frames of every input by its name."""
    _check_one(data, inputs)
    first, *others = inputs
    frames = {first[0]: calibration_frames(data, first[1], seed, count)}
    return frames | {name: seeded_frames(shape, count, seed, f"calibration {name}") for name, shape in others}


def unseen_inputs(
    data: Data | None, inputs: Sequence[tuple[str, Shape]], seed: int, count: int
) -> tuple[dict[str, Array], Array | None]:
    """Frames of every input by its name that calibration does not see, and their labels."""
    _check_one(data, inputs)
    first, *others = inputs
    frames, labels = unseen_frames(data, first[1], seed, count)
    noise = {name: seeded_frames(shape, count, seed, f"test {name}") for name, shape in others}
    return {first[0]: frames} | noise, labels


def _check_one(data: Data | None, inputs: Sequence[tuple[str, Shape]]) -> None:
    if data is not None and len(inputs) > 1:
        names = ", ".join(quoted(name) for name, _ in inputs)
        hint = "leave `data` out: all inputs are then fed with noise"
        raise _problem(data, f"holds images of one input, but the network has {len(inputs)}: {names}", hint)


def check_data(data: Data, shape: Shape, classes: int) -> None:
    """NUM005 with everything that is wrong with a network's images, before hours are spent without them.

    Args:
        data: where they are; shape: of the network's input, (C, *spatial); classes: values of its output.
    """
    problems: list[Problem] = []
    for name in dict.fromkeys((data.calibration, data.test)):
        try:
            _normalised(data, _array(data, name)[:1], shape)
        except BuildError as error:
            problems += error.problems
    try:
        images, labels = _array(data, data.test), _array(data, data.labels)
    except BuildError as error:
        problems += [p for p in error.problems if p not in problems]
    else:
        problems += _label_problems(data, len(images), labels, classes)
    if problems:
        raise BuildError(tuple(problems))


def _label_problems(data: Data, images: int, labels: Array, classes: int) -> Iterator[Problem]:
    if labels.ndim != 1 or labels.dtype.kind not in "ui":
        message = f"array '{data.labels}' is {labels.dtype} of shape {labels.shape}, not one whole number an image"
        yield Problem("NUM005", message, "", data.file)
        return
    if len(labels) != images:
        yield Problem("NUM005", f"{images} test images but {len(labels)} labels", "", data.file)
    if labels.min() < 0 or labels.max() >= classes:
        message = f"labels are {labels.min()} to {labels.max()}, the network's classes 0 to {classes - 1}"
        yield Problem("NUM005", message, "", data.file)


def blocks(count: int, size: int) -> Iterator[slice]:
    """Consecutive pieces of `count` frames."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def _array(data: Data, name: str) -> Array:
    try:
        archive = np.load(data.path, allow_pickle=False)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise _problem(data, f"cannot be read as .npz: {error}") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise _problem(data, "is one array, not an .npz of named arrays")
    with archive:
        if name not in archive.files:
            known = ", ".join(sorted(archive.files))
            raise _problem(data, f"holds no array '{name}', only {known}", suggest(name, archive.files))
        try:
            values: Array = archive[name]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            reason = "it holds Python objects" if "pickle" in str(error) else error
            raise _problem(data, f"array '{name}' cannot be read: {reason}", "store plain numbers") from error
    if not values.ndim or not len(values):
        raise _problem(data, f"array '{name}' is empty")
    if values.dtype.kind not in "buif":
        raise _problem(data, f"array '{name}' is of type {values.dtype}, not of numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise _problem(data, f"array '{name}' holds NaN or infinity")
    return values


def _normalised(data: Data, images: Array, shape: Shape) -> Array:
    """(pixel * scale - mean) / std, per channel."""
    if images.ndim == len(shape) and shape[0] == 1:
        images = images[:, None]
    if images.shape[1:] != shape:
        raise _problem(data, f"images have shape {images.shape[1:]}, the network's input {shape}")
    frames: Array = images.astype(np.float32) * np.float32(data.scale)
    for values, apply in ((data.mean, np.subtract), (data.std, np.divide)):
        if values:
            apply(frames, np.array(values, np.float32).reshape(-1, *(1 for _ in shape[1:])), out=frames)
    return frames


def _problem(data: Data, message: str, hint: str = "") -> BuildError:
    return BuildError(Problem("NUM005", message, hint, data.file))
