"""Windows of declared layers: one number or one an axis, padding, output sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.spec.layers import Shape


class Misfit(ValueError):
    """A layer that its input does not allow; the option it is about, why, and what to do."""

    def __init__(self, option: str, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.option, self.why, self.hint = option, why, hint


def per_axis(options: Mapping[str, Any], key: str, default: Any, spatial: list[int]) -> tuple[int, ...]:
    """An option that is one number for all axes, or one an axis."""
    value = options.get(key, default)
    sizes = (value,) * len(spatial) if isinstance(value, int) else tuple(value)
    if len(sizes) != len(spatial):
        raise Misfit(key, f"has {len(sizes)} sizes of {key}, but its input has {len(spatial)} spatial axes")
    return sizes


def read_window(
    options: Mapping[str, Any], spatial: list[int], stride: Any, dilation: tuple[int, ...]
) -> dict[str, Any]:
    """kernel, stride, pads_begin and pads_end, one entry an axis."""
    if not spatial:
        raise Misfit("kernel", "needs an input with spatial axes; this one is a vector")
    kernel = per_axis(options, "kernel", 1, spatial)
    strides = per_axis(options, "stride", stride, spatial)
    begin, end = _pads(options.get("pad", 0), spatial, kernel, strides, dilation)
    return {"kernel": kernel, "stride": strides, "pads_begin": begin, "pads_end": end}


def _pads(
    pad: Any, spatial: list[int], kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Padding before and after each axis, as the schema's `pad` describes it."""
    rank = len(spatial)
    if pad == "same":
        axes = zip(spatial, kernel, stride, dilation, strict=True)
        total = [max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size) for size, k, s, d in axes]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    sides = (pad,) * rank if isinstance(pad, int) else tuple(pad)
    if len(sides) == rank:
        return sides, sides
    if len(sides) == 2 * rank:
        return sides[:rank], sides[rank:]
    raise Misfit(
        "pad", f"has {len(sides)} paddings, but its input has {rank} spatial axes", f"give 1, {rank} or {2 * rank}"
    )


def output_sizes(spatial: list[int], window: Mapping[str, Any], dilation: tuple[int, ...], *, ceil_mode: bool) -> Shape:
    """Output sizes as ONNX and PyTorch define them; a window that starts in the end padding is not computed."""
    sizes = []
    for axis, size in enumerate(spatial):
        extent = (window["kernel"][axis] - 1) * dilation[axis] + 1
        begin, end, stride = window["pads_begin"][axis], window["pads_end"][axis], window["stride"][axis]
        room = size + begin + end - extent
        if room < 0:
            raise Misfit("kernel", f"has a window of {extent}, but its padded input only has {size + begin + end}")
        steps = -(-room // stride) if ceil_mode else room // stride
        sizes.append(steps + 1 - (ceil_mode and steps * stride >= size + begin))
    return tuple(sizes)
