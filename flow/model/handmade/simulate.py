"""Simulation of a hand-written design word by word, with the FIFO depths that it states.

Times are computed, not clocked: each process advances as far as words and space are known, so the order in which
processes run has no effect on the result. Modules that pass one word a cycle through one input and one output only add
a register and their FIFO to the channel that they sit on.

One assumption is ours, since the published files are silent about it: a convolution's multipliers may lag behind its
sliding window by a row of windows. A window that hands on only every other row would otherwise stop its producer during
the one and starve its multipliers during the other (docs/measured.md says what that does to the prediction).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.diagnostics import BuildError, Problem
from flow.model.handmade.design import HandDesign, Layer
from flow.model.handmade.processes import (
    REGISTER,
    Channel,
    Maker,
    Process,
    convert,
    join,
    pool_all,
    product,
    sink,
    source,
    split,
    window,
)

STREAMING = ("batch_norm", "activation")
"""One word in, one word out, every cycle."""
_MAKERS: dict[str, Maker] = {
    "squeeze": convert,
    "split": split,
    "eltwise": join,
    "average_pooling": pool_all,
    "inner_product": product,
    "batch_norm": join,
    "activation": join,
}
DONE = 1
"""What a process that has ended gives; one that waits gives None."""
HANDSHAKE = 2
"""Words between two modules of one layer: a register at either end."""


MOST_WORDS = 30_000_000
"""Words over all streams and frames that are simulated; more would take minutes and gigabytes."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulation saw.

    Attributes:
        latency_cycles: first word of a frame in to its last word out, nothing else in the pipeline.
        interval_cycles: between the ends of the last two of several frames that follow each other without a pause.
        peaks: (producer, consumer) to the largest number of words that waited.
    """

    latency_cycles: int
    interval_cycles: int
    peaks: dict[tuple[str, str], int]


def simulate(design: HandDesign, frames: int = 3) -> Simulation:
    """Run `frames` back to back, at least two; the first of them is as fast as one alone, as words never overtake.

    Raises:
        BuildError: SIM030 if the FIFO depths let the design come to a stop, SIM031 if it is too large.
    """
    words = frames * sum(layer.words_in + layer.words_out for layer in design.layers)
    if words > MOST_WORDS:
        message = f"the design passes {words} words in {frames} frames; at most {MOST_WORDS} are simulated"
        raise BuildError(Problem("SIM031", message, "evaluate it in parts", design.source))
    plan = _Plan(design, frames)
    _run(plan, design.source)
    return Simulation(plan.ends[0], plan.ends[-1] - plan.ends[-2], _peaks(plan.channels))


def _run(plan: _Plan, source_file: str) -> None:
    running: list[tuple[str, Process]] = plan.processes
    while running:
        before = plan.progress()
        running = [item for item in running if next(item[1], DONE) is None]
        if running and plan.progress() == before:
            waiting = [name for name in dict.fromkeys(name for name, _ in running) if name in plan.layers]
            shown = ", ".join(waiting[:6]) + (f" and {len(waiting) - 6} more" if len(waiting) > 6 else "")
            message = f"the design comes to a stop: these wait for each other: {shown}"
            hint = "a FIFO behind a split is too short for what the other branch holds back"
            raise BuildError(Problem("SIM030", message, hint, source_file))


class _Plan:
    """Processes and channels of a design."""

    def __init__(self, design: HandDesign, frames: int) -> None:
        self.frames = frames
        self.ends: list[int] = []
        self.channels: list[Channel] = []
        self.processes: list[tuple[str, Process]] = []
        self.layers = design.by_name()
        self.readers: dict[str, list[Layer]] = {layer.name: [] for layer in design.layers}
        for layer in design.layers:
            for item in layer.inputs:
                self.readers[item.producer].append(layer)
        self.into: dict[str, list[Channel]] = {layer.name: [] for layer in design.layers}
        self._build(design.layers)

    def progress(self) -> int:
        return sum(len(c.written) + len(c.taken) for c in self.channels)

    def _build(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            if not layer.inputs:
                channel = self._channel("input", layer.name, HANDSHAKE)
                self.into[layer.name].append(channel)
                self.processes.append(("input", source(layer.words_in * self.frames, channel)))
        for layer in layers:
            if layer.op not in STREAMING or not layer.inputs:
                # A streaming layer at the input has a process of its own.
                self._process(layer, [self._leave(layer, reader) for reader in self.readers[layer.name]])

    def _channel(self, producer: str, consumer: str, capacity: int, latency: int = 0) -> Channel:
        self.channels.append(Channel(f"{producer}>{consumer}", max(capacity, 1), latency))
        return self.channels[-1]

    def _leave(self, layer: Layer, reader: Layer) -> Channel | None:
        """The channel from a layer through streaming modules to the next process."""
        depth = next(item.depth for item in reader.inputs if item.producer == layer.name)
        capacity, latency, last = depth + REGISTER, 0, layer
        while reader.op in STREAMING:
            last, after = reader, self.readers[reader.name]
            latency += REGISTER
            if not after:
                break
            reader = after[0]
            capacity += REGISTER + next(item.depth for item in reader.inputs if item.producer == last.name)
        else:
            channel = self._channel(layer.name, reader.name, capacity, latency)
            self.into[reader.name].append(channel)
            return channel
        channel = self._channel(layer.name, "output", capacity, latency)
        self.processes.append(("output", sink(channel, layer.words_out, self.frames, self.ends)))
        return channel

    def _process(self, layer: Layer, outs: list[Channel | None]) -> None:
        out = [c for c in outs if c is not None]
        if not out:
            channel = self._channel(layer.name, "output", HANDSHAKE)
            self.processes.append(("output", sink(channel, layer.words_out, self.frames, self.ends)))
            out = [channel]
        ins = self.into[layer.name]
        if layer.op == "convolution":
            inside = self._channel(layer.name, "window", REGISTER + layer.row_windows)
            self.processes.append((layer.name, window(layer, ins, [inside], self.frames)))
            self.processes.append((layer.name, product(layer, [inside], out, self.frames)))
            return
        self.processes.append((layer.name, _MAKERS[layer.op](layer, ins, out, self.frames)))


def _peaks(channels: Sequence[Channel]) -> dict[tuple[str, str], int]:
    """Largest number of words in each channel."""
    found = {}
    for channel in channels:
        producer, _, consumer = channel.name.partition(">")
        peak, read = 0, 0
        for count, time in enumerate(channel.written, 1):
            while read < len(channel.taken) and channel.taken[read] <= time:
                read += 1
            peak = max(peak, count - read)
        found[producer, consumer] = peak
    return found
