"""Where tensors lie in one piece of memory: those that are never needed together share room.

Streamed weights lie in front of them, for as long as the build runs.

A tensor that takes the place of another (`in_place_of`) lies so that each of its frames ends where the same frame of
the other begins, or before: when it is written, that frame is being read for the last time, those before it have been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from .plan import Plan

_ALIGNMENT = 4096
"""Bursts do not cross 4 KiB; what begins there has as few as it can."""


@dataclass(frozen=True)
class Need:
    """A tensor's wish: frames of `frame_bytes`, kept from one partition to another, both included."""

    name: str
    frame_bytes: int
    first: int
    last: int
    in_place_of: str


@dataclass(frozen=True)
class Place:
    """Bytes `start` to `end`."""

    need: Need
    start: int
    end: int


def needs_of(plan: Plan) -> tuple[Need, ...]:
    """Inputs are there from the start, outputs to the end, the others from their writer to their last reader."""
    used: dict[str, list[int]] = {name: [] for name in plan.tensors}
    for step in plan.steps:
        for name in step.ports.values():
            used[name].append(step.partition)
    end = len(plan.partitions) - 1
    needs: list[Need] = []
    for tensor in plan.tensors.values():
        name = tensor.name
        first = 0 if tensor.role == "input" else min(used[name])
        last = end if tensor.role == "output" else max(used[name])
        needs.append(Need(name, tensor.layout.frame_bytes, first, last, tensor.in_place_of))
    return tuple(sorted(needs, key=lambda n: n.first))


def places(needs: Sequence[Need], frames: int) -> Mapping[str, Place]:
    """A place for every tensor of a batch, first come first served."""
    found: dict[str, Place] = {}
    for need in needs:
        size, other = need.frame_bytes * frames, found.get(need.in_place_of)
        start: int | None = None
        if other is not None:
            wanted = other.start + _shift(need, other.need, frames)
            taken = [p for p in found.values() if p is not other]
            start = wanted if wanted >= 0 and _free(taken, need, wanted, size) else None
        if start is None:
            start = _first_fit(tuple(found.values()), need, size, _room_in_front(need, needs, frames))
        found[need.name] = Place(need, start, start + size)
    return found


def lasting(sizes: Mapping[str, int]) -> tuple[Mapping[str, int], int]:
    """Where each of these begins if all of them stay, and the first byte behind them that a tensor may take."""
    starts: dict[str, int] = {}
    end = 0
    for name, size in sizes.items():
        starts[name] = end
        end = -(-(end + size) // _ALIGNMENT) * _ALIGNMENT
    return starts, end


def total(found: Mapping[str, Place]) -> int:
    """Bytes of the piece."""
    return max(place.end for place in found.values())


def _shift(written: Need, read: Need, frames: int) -> int:
    """From the start of what is read to that of what is written, so that frame i ends before frame i is read."""
    last = (frames - 1) * read.frame_bytes - frames * written.frame_bytes
    return min(-written.frame_bytes, last)


def _room_in_front(need: Need, needs: Sequence[Need], frames: int) -> int:
    """Bytes that those need which will take its place, and theirs."""
    furthest, at, current = 0, 0, need
    while True:
        following = next((n for n in needs if n.in_place_of == current.name), None)
        if following is None:
            return -furthest
        at += _shift(following, current, frames)
        furthest, current = min(furthest, at), following


def _first_fit(taken: Sequence[Place], need: Need, size: int, front: int) -> int:
    for start in sorted({0, *(place.end for place in taken)}):
        aligned = -(-(start + front) // _ALIGNMENT) * _ALIGNMENT
        if _free(taken, need, aligned - front, front + size):
            return aligned
    raise AssertionError("behind all others there is always room")


def _free(taken: Sequence[Place], need: Need, start: int, size: int) -> bool:
    end = start + size
    return not any(
        place.start < end and start < place.end and place.need.first <= need.last and need.first <= place.need.last
        for place in taken
    )
