"""Depths of the FIFOs: a burst everywhere, a row in front of windows, at joins what the longer way around lags behind.

Layers of equal speed do not run in lockstep: a window swallows its first row without putting anything out and works on
its last one without reading, a layer's words come in one burst a pixel. With two words between them one side idles
while the other catches up (ResNet-8 takes 2.3 times the cycles of its slowest layer); with a row of pixels in front of
every window and a shift register elsewhere both run through.

A fork feeds its branches in lockstep, so a join's early input must hold what the other branch swallows before its
first word comes out. In a synchronous dataflow graph that is a share of a frame, whatever the clock and the foldings:
a window swallows rows, an inner product the whole frame. The depth is a fact about words, so halved or doubled
latencies change nothing. The lead keeps a strided branch from stalling the fork in the middle of a row; two pixels are
added as margin.

    lag(out)   = max over inputs of lag(in) + pixels needed for the first output / pixels
    lead(out)  = lead(in) + pixels by which a strided window runs ahead inside a row / pixels
    depth(in)  = (ceil((max lag - lag(in) + lead(in)) * pixels) + 2) * words per pixel

Where a branch needs the whole frame before its first word (squeeze and excitation), its partner holds a frame; what is
computed from the one pixel that is left takes no share of a frame's time but the cycles of its foldings, in each of
which the partner may bring another word.

An input straight from a memory port needs none: its reader simply waits.

A streamed layer takes a tile of frames while its first slice multiplies and gives one in a burst while its last one
does: a tile waits in front of it and one behind it, unless frames come straight from memory, or go there. What waits
behind one streamed layer need not wait in front of the next. Its first frame comes two tiles late.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow.model.hardware import Module, Stream
from flow.model.resources import REGISTER_DEPTH, STREAM_DEPTH, fifo_depth
from flow.model.weight_memory import weight_rows

MARGIN_PIXELS = 2
WHOLE_FRAME = ("global_pool", "inner_product")
"""Modules whose first output needs the whole frame."""
ENLARGES = ("resize",)
"""Modules that give more positions than they take."""
TILES_BEHIND = 2
"""Tiles that a streamed layer's input is ahead of its output: one comes, the other is worked off."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Of a module: shares of an input frame."""

    needed: float
    ahead: float


def module_lag(ip: str, parameters: Mapping[str, Any]) -> Lag:
    """How far a module's output lags behind its input, and how far a stride lets it run ahead inside a row."""
    if ip in WHOLE_FRAME:
        return Lag(1.0, 0.0)
    if "kernel_h" not in parameters:
        return Lag(0.0, 0.0)
    size = [parameters[f"in_{axis}"] for axis in "dhw"]
    area = (size[1] * size[2], size[2], 1)
    # The window's last corner, in real pixels: begin padding comes first in the stream.
    corner = [parameters[f"kernel_{a}"] - 1 - parameters[f"pad_{a}0"] for a in "dhw"]
    corner = [min(max(c, 0), n - 1) for c, n in zip(corner, size, strict=True)]
    needed = sum(c * a for c, a in zip(corner, area, strict=True)) + 1
    ahead = sum((parameters[f"stride_{axis}"] - 1) * a for axis, a in zip("dhw", area, strict=True))
    pixels = size[0] * area[0]
    return Lag(min(needed / pixels, 1.0), min(ahead / pixels, 1.0))


def join_words(lag: Any, lead: Any, longest: Any, pixels: Any, words: Any, wait: Any = 0) -> Any:
    """Words that a join's input must hold.

    Args:
        lag, lead: of this input, shares of a frame.
        longest: largest lag of the join's inputs.
        pixels, words: of this input's stream per frame.
        wait: cycles by which another branch is later still; a stream brings at most a word in each.
    """
    behind = longest - lag + lead
    held = np.ceil(np.round(behind * pixels, 6)) + MARGIN_PIXELS
    # A branch that lags by a frame and more is at work on the next one: its partner holds more than a frame.
    held = np.where(behind < 1, np.minimum(held, pixels), held)
    return np.maximum(held * (words // pixels) + wait, STREAM_DEPTH).astype(np.int64)


def one_pixel_wait(parameters: Mapping[str, Any], pixels: int) -> Any:
    """Cycles that a weighted module takes for a frame of one pixel (its rows of weights); 0 for any other."""
    return weight_rows(parameters) if pixels == 1 and "weight_bits" in parameters else 0


def tile_words(tile: Any, held: Any, words: Any) -> Any:
    """Words in front of a streamed layer: a tile of frames of `words` words, `held` frames of which wait already."""
    return np.maximum(np.maximum(tile - held, 0) * words, STREAM_DEPTH).astype(np.int64)


def tile_lag(tile: Any) -> Any:
    """Frames by which what a streamed layer gives is behind what it takes."""
    return TILES_BEHIND * tile


def input_pixels(parameters: Mapping[str, Any], slot: int) -> int:
    """Pixels a frame of a join's input: one where a frame is multiplied by one value a channel."""
    return 1 if slot == 1 and parameters.get("broadcast") else int(parameters["pixels"])


def own_lag(lag: Lag, pixels: int) -> Lag:
    """What a module adds to the lag of its input, which has so many pixels: a frame of one pixel takes no time."""
    return lag if pixels > 1 else Lag(0.0, 0.0)


def window_pixels(ip: str, parameters: Mapping[str, Any]) -> int:
    """Pixels that the input of a module with a window holds: a row, and a frame's plane where the window is deep.

    So does that of a module that enlarges: it swallows a row in one of its own and then gives the next without reading.
    0 for modules without a window.
    """
    if ip in ENLARGES:
        plane = parameters["in_h"] if parameters["factor_d"] > 1 else 1
        return int(parameters["in_w"] * plane) + MARGIN_PIXELS
    if "kernel_h" not in parameters or all(parameters[f"kernel_{axis}"] == 1 for axis in "dhw"):
        return 0
    plane = parameters["in_h"] if parameters["kernel_d"] > 1 else 1
    return int(parameters["in_w"] * plane) + MARGIN_PIXELS


def window_words(pixels: Any, frame_pixels: Any, words: Any) -> Any:
    """Words of `pixels` pixels of a stream that has `words` words and `frame_pixels` pixels a frame."""
    return np.maximum(np.minimum(pixels, frame_pixels) * (words // frame_pixels), STREAM_DEPTH).astype(np.int64)


@dataclass(slots=True)
class _Flow:
    """What is known of a stream: lag, lead, cycles of waiting, and whether it comes straight from a memory port.

    `held`: frames that wait behind the streamed layer that it comes from.
    """

    lag: float = 0.0
    lead: float = 0.0
    wait: int = 0
    direct: bool = False
    held: int = 0


def with_depths(modules: tuple[Module, ...], streams: tuple[Stream, ...]) -> tuple[Stream, ...]:
    """The streams of one partition with their depths; modules come in topological order."""
    named = {s.name: s for s in streams}
    consumers = {name: m for m in modules for name in m.inputs}
    flows: dict[str, _Flow] = {}
    depths: dict[str, int] = {}

    def deepen(name: str, words: int) -> None:
        depths[name] = max(words, depths.get(name, 0))

    for module in modules:
        inputs = [name for name in module.inputs if name in flows]
        frame = _frame_pixels(module.parameters)
        lag = own_lag(module_lag(module.ip, module.parameters), frame)
        wait = max((flows[name].wait for name in inputs), default=0)
        longest = max((flows[name].lag for name in inputs), default=0.0)
        if len(inputs) > 1:
            for slot, name in enumerate(inputs):
                pixels = input_pixels(module.parameters, slot)
                deepen(name, _depth(flows[name], longest, wait, pixels, named[name]))
        elif module.ip == "replay" and not flows[inputs[0]].direct:
            held = 0 if inputs[0] in depths else flows[inputs[0]].held
            deepen(inputs[0], int(fifo_depth(tile_words(module.parameters["tile"], held, named[inputs[0]].words))))
        elif (pixels := window_pixels(module.ip, module.parameters)) and not flows[inputs[0]].direct:
            deepen(inputs[0], int(fifo_depth(window_words(np.int64(pixels), frame, named[inputs[0]].words))))
        lead = max((flows[name].lead for name in inputs), default=0.0)
        own = int(one_pixel_wait(module.parameters, frame)) * module.repeats
        direct = module.ip in ("memory_read", "replay") or (module.ip == "width_converter" and flows[inputs[0]].direct)
        held = flows[inputs[0]].held if module.ip == "width_converter" else 0
        if module.ip == "replay":
            longest += tile_lag(module.parameters["tile"])
        elif module.ip == "collect" and not _written(module, consumers):
            held = module.parameters["tile"]
            deepen(module.outputs[0], int(fifo_depth(tile_words(held, 0, named[module.outputs[0]].words))))
        for name in module.outputs:
            if named[name].tensor:
                flows[name] = _Flow(longest + lag.needed, lead + lag.ahead, wait + own, direct, held)
    # What is loaded in front of the frames needs no room; streamed weights go on while their reader asks for more.
    depths |= {name: STREAM_DEPTH for m in modules if m.ip == "slices_read" for name in m.outputs}
    return tuple(replace(s, depth=depths.get(s.name, STREAM_DEPTH if s.tensor else REGISTER_DEPTH)) for s in streams)


def _written(module: Module, consumers: Mapping[str, Module]) -> bool:
    """Whether what a module gives goes straight to memory."""
    reader = consumers[module.outputs[0]]
    if reader.ip == "width_converter":
        reader = consumers[reader.outputs[0]]
    return reader.ip == "memory_write"


def _frame_pixels(parameters: Mapping[str, Any]) -> int:
    """Positions of an input frame; 1 where a module has none of its own."""
    if "in_h" in parameters:
        return math.prod(parameters[f"in_{axis}"] for axis in "dhw")
    return int(parameters.get("pixels", 1))


def _depth(flow: _Flow, longest: float, wait: int, pixels: int, stream: Stream) -> int:
    if flow.direct:
        return STREAM_DEPTH
    return int(fifo_depth(join_words(flow.lag, flow.lead, longest, pixels, stream.words, wait - flow.wait)))
