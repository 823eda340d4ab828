"""Images from files: raw pixels as the network was trained on them, floats as they are."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .errors import HostError
from .plan import Pixels, Plan


def read_frames(plan: Plan, path: Path) -> dict[str, Any]:
    """Integers (N, C, *spatial) by input in a .npy of the one input, or in an .npz with an array an input.

    Whole numbers are pixels and are normalised; floats are normalised already. A missing axis of one channel is added.
    HOST007 if arrays do not fit the inputs.
    """
    names = [tensor.name for tensor in plan.inputs]
    arrays = _arrays(path, names)
    missing = sorted(set(names) - set(arrays))
    if missing:
        raise HostError("HOST007", f"{path} holds no array for {missing}", f"it holds {sorted(arrays)}")
    frames = {}
    for tensor in plan.inputs:
        values, shape = arrays[tensor.name], tensor.layout.shape
        if values.ndim == len(shape) and shape[0] == 1:
            values = values[:, None]
        if values.shape[1:] != shape or values.dtype.kind not in "buif":
            message = (
                f"{tensor.name!r} takes frames of shape {shape}, {path.name} has {values.dtype} {values.shape[1:]}"
            )
            raise HostError("HOST007", message, "channels first, one frame after the other")
        if not len(values) or (values.dtype.kind == "f" and not np.isfinite(values).all()):
            raise HostError("HOST007", f"{tensor.name!r} in {path.name} holds no frames, or values that are not finite")
        real = values if values.dtype.kind == "f" else normalised(values, plan.pixels[tensor.name])
        frames[tensor.name] = tensor.layout.quantise(real)
    return frames


def normalised(pixels: Any, rule: Pixels) -> Any:
    """(pixel * scale - mean) / std by channel, in float32."""
    frames = pixels.astype(np.float32) * np.float32(rule.scale)
    per_channel = (-1, *(1 for _ in pixels.shape[2:]))
    if rule.mean:
        frames -= np.array(rule.mean, np.float32).reshape(per_channel)
    if rule.std:
        frames /= np.array(rule.std, np.float32).reshape(per_channel)
    return frames


def _arrays(path: Path, names: list[str]) -> dict[str, Any]:
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {names[0]: found}
        with found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise HostError("HOST007", f"{path} cannot be read as .npy or .npz: {error}") from error
