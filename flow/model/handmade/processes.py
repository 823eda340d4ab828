"""fpgaConvNet's modules as processes over streams: a token is one word of every lane, a time is a clock cycle.

What each module does is what its authors publish of it (fpgaConvNet, IEEE TNNLS 2019, and the public description of
the hardware library's modules): a padding module that emits one word a cycle and waits only for words that are data; a
sliding window that takes one word a cycle and hands on the windows of output positions; a converter from the window to
its fine-folded parts; a fork; vector products that meet every filter of the lane before they take the next part; an
accumulator in filter-first order, so that a pixel's results come in one burst behind its last part; glue and bias in
the same beat. Each process is a generator: it works as far as the words and the space that are known let it, then
yields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flow.model.handmade.design import Layer
from flow.model.primitives import ceil_div, log2ceil

REGISTER = 1
"""Cycles that a word spends in a module's output register."""
MULTIPLY = 2
"""Cycles of a multiplication: operand and product register (UG479)."""


@dataclass(slots=True)
class Channel:
    """A bounded FIFO: `written[k]` and `taken[k]` are the cycles in which word k becomes readable and leaves.

    `latency` is what a word spends in the one-word-a-cycle modules that the channel stands for; their registers and
    FIFOs are part of `capacity`.
    """

    name: str
    capacity: int
    latency: int = 0
    written: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)


Process = Iterator[None]
Maker = Callable[[Layer, list[Channel], list[Channel], int], Process]


def source(words: int, out: Channel) -> Process:
    """The input port: one word a cycle."""
    written, taken, capacity, latency = out.written, out.taken, out.capacity, out.latency
    now = 0
    for k in range(words):
        free = k - capacity
        while free >= len(taken):
            yield
        if free >= 0 and taken[free] > now:
            now = taken[free]
        now += 1
        written.append(now + latency)


def window(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """Padding and sliding window: every padded position passes, words of output positions go on as windows."""
    source_, out = ins[0], outs[0]
    written, taken = source_.written, source_.taken
    sent, gone, capacity, latency = out.written, out.taken, out.capacity, out.latency
    words = layer.group_folds * layer.input_folds
    plan = _positions(layer)
    now, k = 0, 0
    for _ in range(frames):
        for real, hands_on in plan:
            for _ in range(words):
                if real:
                    while k >= len(written):
                        yield
                    now = max(now, written[k])
                if hands_on:
                    free = len(sent) - capacity
                    while free >= len(gone):
                        yield
                    if free >= 0 and gone[free] > now:
                        now = gone[free]
                now += 1
                if real:
                    taken.append(now)
                    k += 1
                if hands_on:
                    sent.append(now + latency)


def _positions(layer: Layer) -> list[tuple[bool, bool]]:
    """Of each padded position in stream order: whether it is data, and whether it completes an output's window."""
    rows, columns = layer.padded
    top, left = layer.pads[:2]
    _, height, width = layer.shape_in
    (kh, kw), (sh, sw), (_, out_h, out_w) = layer.kernel, layer.stride, layer.shape_out
    plan = []
    for y in range(rows):
        oy, skip_y = divmod(y - kh + 1, sh)
        for x in range(columns):
            ox, skip_x = divmod(x - kw + 1, sw)
            real = top <= y < top + height and left <= x < left + width
            plan.append((real, not skip_y and not skip_x and 0 <= oy < out_h and 0 <= ox < out_w))
    return plan


def product(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """Vector products and accumulator: each word takes window folds x output folds; results come behind the last."""
    source_, out = ins[0], outs[0]
    written, taken = source_.written, source_.taken
    sent, gone = out.written, out.taken
    folds, filters = layer.input_folds, layer.output_folds
    pixels = layer.pixels_out
    if layer.op == "inner_product":  # one output behind all pixels
        folds, pixels = folds * layer.pixels_in, 1
    busy = layer.window_folds * filters
    pipeline = MULTIPLY + int(log2ceil(layer.fine)) + 2 * REGISTER  # adder tree; accumulator, glue
    latency = out.latency + pipeline
    capacity = out.capacity + pipeline  # each stage holds a word
    now, k = 0, 0
    for _ in range(frames * pixels * layer.group_folds):
        for fold in range(folds):
            while k >= len(written):
                yield
            now = max(now, written[k]) + busy
            k += 1
            if fold < folds - 1:
                taken.append(now)
        now -= filters  # results leave while the last part meets its filters
        for _ in range(filters):
            free = len(sent) - capacity
            while free >= len(gone):
                yield
            if free >= 0 and gone[free] > now:
                now = gone[free]
            now += 1
            sent.append(now + latency)
        taken.append(now)


def convert(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """Width converter with one buffer of a wide word a side: wide to narrow or back, pixel by pixel."""
    source_, out = ins[0], outs[0]
    written, taken = source_.written, source_.taken
    sent, gone, capacity, latency = out.written, out.taken, out.capacity, out.latency
    channels = layer.shape_in[0]
    words_in, words_out = int(ceil_div(channels, layer.coarse_in)), int(ceil_div(channels, layer.coarse_out))
    reads, writes = 0, 0
    k = 0
    for _ in range(frames * layer.pixels_in):
        have = 0
        for word in range(words_out):
            need = int(ceil_div(min((word + 1) * layer.coarse_out, channels), layer.coarse_in))
            while have < need:
                while k >= len(written):
                    yield
                # A wide word is taken when the one before it has left the buffer.
                reads = max(reads, written[k], writes - 1 if layer.coarse_in > layer.coarse_out else 0) + 1
                taken.append(reads)
                k += 1
                have += 1
            free = len(sent) - capacity
            while free >= len(gone):
                yield
            writes = max(writes, reads, gone[free] if free >= 0 else 0) + 1
            sent.append(writes + latency)
        while have < words_in:  # lanes that only pad
            while k >= len(written):
                yield
            reads = max(reads, written[k]) + 1
            taken.append(reads)
            k += 1
            have += 1


def split(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """A fork: a word is taken once every branch has room for it."""
    written, taken = ins[0].written, ins[0].taken
    now = 0
    for k in range(frames * layer.words_in):
        while k >= len(written):
            yield
        now = max(now, written[k])
        for out in outs:
            free = k - out.capacity
            while free >= len(out.taken):
                yield
            if free >= 0 and out.taken[free] > now:
                now = out.taken[free]
        now += 1
        taken.append(now)
        for out in outs:
            out.written.append(now + out.latency)


def join(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """Element-wise sum, or any module of one word a cycle: a word of every input, a word out."""
    out = outs[0]
    sent, gone, capacity, latency = out.written, out.taken, out.capacity, out.latency
    now = 0
    for k in range(frames * layer.words_in):
        for channel in ins:
            while k >= len(channel.written):
                yield
            now = max(now, channel.written[k])
        free = k - capacity
        while free >= len(gone):
            yield
        if free >= 0 and gone[free] > now:
            now = gone[free]
        now += 1
        for channel in ins:
            channel.taken.append(now)
        sent.append(now + latency)


def pool_all(layer: Layer, ins: list[Channel], outs: list[Channel], frames: int) -> Process:
    """Global average: takes the frame at one word a cycle, sums leave with the words of the last pixel."""
    written, taken = ins[0].written, ins[0].taken
    out = outs[0]
    sent, gone, capacity, latency = out.written, out.taken, out.capacity, out.latency
    words = layer.words_in // layer.pixels_in
    quiet = layer.words_in - words
    now, k = 0, 0
    for _ in range(frames):
        for word in range(layer.words_in):
            while k >= len(written):
                yield
            now = max(now, written[k])
            if word >= quiet:
                free = len(sent) - capacity
                while free >= len(gone):
                    yield
                if free >= 0 and gone[free] > now:
                    now = gone[free]
            now += 1
            taken.append(now)
            k += 1
            if word >= quiet:
                sent.append(now + latency)


def sink(ins: Channel, words: int, frames: int, ends: list[int]) -> Process:
    """The output port: takes every word as it comes; `ends[f]` is when frame f has left."""
    for frame in range(frames):
        for k in range(frame * words, (frame + 1) * words):
            while k >= len(ins.written):
                yield
            ins.taken.append(ins.written[k])
        ends.append(ins.taken[-1])
