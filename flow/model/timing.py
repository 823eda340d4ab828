"""When a frame passes through a pipeline: first and last word of every stream, from cold, never waiting downstream.

A module starts with its inputs' first words and keeps its own pace, or its slowest input's:

    first out = max( first in + fill, first in + needed * (last in - first in) + 1 )
    last out  = max( first in + interval, last in + drain )

`needed` is the share of the input frame behind its first output (`flow.model.fifos`); the first terms are the module's
own pace, the second terms an input that arrives evenly between its first and last word. Values or arrays of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Span:
    """Cycle of the first and of the last word of a frame on a stream."""

    first: Any
    last: Any


@dataclass(frozen=True, slots=True)
class Pace:
    """A module's own speed: cycles per frame, to the first word out, after the last word in."""

    interval: Any
    fill: Any
    drain: Any


def joined(spans: list[Span]) -> Span:
    """A module that reads several streams waits for the latest."""
    first, last = spans[0].first, spans[0].last
    for span in spans[1:]:
        first, last = np.maximum(first, span.first), np.maximum(last, span.last)
    return Span(first, last)


def passed(span: Span, pace: Pace, needed: float) -> Span:
    """The output of a module whose (joined) input is `span`."""
    arrival = np.floor(np.round(needed * (span.last - span.first), 3)).astype(np.int64) + 1
    first = span.first + np.maximum(pace.fill, arrival)
    last = np.maximum(span.first + pace.interval, span.last + pace.drain)
    return Span(first, np.maximum(last, first))


def source(pace: Pace) -> Span:
    """The output of a memory reader that starts at cycle 0."""
    return Span(pace.fill, np.maximum(pace.interval, pace.fill))
