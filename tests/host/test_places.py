"""Places in memory: what is needed together does not overlap, but for frames that follow each other in one place."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from ip_templates.host.board.places import Need, Place, places, total


@st.composite
def chains(draw: st.DrawFn) -> list[Need]:
    """Tensors between partitions, some in the place of the one before, some kept for longer."""
    needs = [Need("t0", draw(st.integers(1, 40)) * 64, 0, draw(st.integers(0, 2)), "")]
    for k in range(1, draw(st.integers(2, 6))):
        before = needs[-1]
        size, first = draw(st.integers(1, 40)) * 64, k - 1
        follows = before.last == first and draw(st.booleans())
        last = max(first, k) + draw(st.integers(0, 2)) * (not follows)
        needs.append(Need(f"t{k}", size, first, last, before.name if follows else ""))
    return needs


def clash(one: Place, other: Place, frames: int) -> bool:
    """Whether a frame is overwritten before it has been read for the last time."""
    if one.need.first > other.need.last or other.need.first > one.need.last:
        return False
    if other.need.in_place_of == one.need.name:
        for i in range(frames):
            end = other.start + (i + 1) * other.need.frame_bytes
            if end > one.start + i * one.need.frame_bytes and other.start < one.end:
                return True
        return False
    return one.start < other.end and other.start < one.end


@settings(max_examples=200, deadline=None)
@given(chains(), st.integers(1, 5))
def test_no_frame_is_lost(needs: list[Need], frames: int) -> None:
    found = places(needs, frames)
    for one, other in combinations(found.values(), 2):
        assert not clash(one, other, frames), (one, other)
    assert all(p.start >= 0 and p.end - p.start == frames * p.need.frame_bytes for p in found.values())


def test_room_is_shared() -> None:
    """A chain of equal tensors takes one of them and a frame a link; without sharing it would take four."""
    needs = [Need(f"t{k}", 4096, k - 1 if k else 0, k, f"t{k - 1}" if k else "") for k in range(4)]
    assert total(places(needs, 8)) == (8 + 3) * 4096
    alone = [Need(n.name, n.frame_bytes, n.first, n.last, "") for n in needs]
    assert total(places(alone, 8)) == 16 * 4096
