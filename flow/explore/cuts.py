"""The best way to cover all layers by ranges whose costs are known: dynamic programming."""

from __future__ import annotations

from flow.explore.segments import Found, Segment
from flow.explore.space import Space


def cut(space: Space, found: Found) -> list[list[Segment]]:
    """The best ways to cover all positions: one for every number of partitions that helps, best first."""
    last = len(space.positions) - 1
    switch = space.device.reconfiguration_s or 0.0
    most = space.max_partitions
    best: list[dict[int, tuple[float, list[Segment]]]] = [{0: (0.0, [])}]
    by_first: dict[int, list[Segment]] = {}
    for (first, _), segments in sorted(found.items()):
        by_first.setdefault(first, []).extend(segments)
    for _ in range(most):
        step: dict[int, tuple[float, list[Segment]]] = {}
        for first, (seconds, chosen) in sorted(best[-1].items()):
            for segment in by_first.get(first, []):
                total = round(seconds + segment.seconds, 12)
                if segment.last + 1 not in step or total < step[segment.last + 1][0]:
                    step[segment.last + 1] = (total, [*chosen, segment])
        best.append(step)
        if not step:
            break
    covers = []
    for count, step in enumerate(best):
        if last + 1 in step and count:
            seconds, chosen = step[last + 1]
            covers.append((round(seconds + (count * switch if count > 1 else 0.0), 12), count, chosen))
    return [chosen for _, _, chosen in sorted(covers, key=lambda c: c[:2])]
