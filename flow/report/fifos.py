"""`fifos.json` in tables: simulated paces, and the FIFOs that are deeper than a shift register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.report.records import Document
from flow.report.text import count, percent

_SHALLOW = 32
"""Depth of the shortest shift register: such FIFOs are not worth a line."""


@dataclass(frozen=True, slots=True)
class FifoTables:
    """`paces`: a line a partition; `deep`: a line a FIFO; `summary`: one sentence."""

    paces: tuple[tuple[str, ...], ...]
    deep: tuple[tuple[str, ...], ...]
    summary: str


def fifo_tables(partitions: Sequence[Document]) -> FifoTables | None:
    """None where no FIFO was sized by simulation."""
    if not partitions:
        return None
    rows = [(part, row) for part in partitions for row in part["fifos"]]
    deep = [(part, row) for part, row in rows if row["depth"] > _SHALLOW]
    blocks = sum(row["resources"]["bram18"] for _, row in rows)
    joins = sum(row["join"] for _, row in rows)
    summary = f"{count(len(rows))} FIFOs, {count(joins)} of them at joins, {count(blocks)} BRAM18 in all"
    return FifoTables(tuple(_pace(p) for p in partitions), tuple(_fifo(p, row) for p, row in deep), summary)


def _pace(part: Document) -> tuple[str, ...]:
    modelled, simulated = part["expected"]["interval"], part["interval"]
    halved, doubled = part["intervals"]["0.5"], part["intervals"]["2"]
    return (
        str(part["index"]),
        count(modelled),
        count(simulated),
        percent(simulated / modelled - 1),
        count(part["expected"]["latency"]),
        count(part["latency"]),
        percent(part["latency"] / part["expected"]["latency"] - 1),
        *("stops" if cycles is None else count(cycles) for cycles in (halved, doubled)),
    )


def _fifo(part: Document, row: Document) -> tuple[str, ...]:
    ends = f"{row['from']} → {row['to']}"
    kind = "join" if row["join"] else ""
    figures = (count(row["width"]), count(row["least"]), count(row["depth"]), count(row["resources"]["bram18"]))
    return (str(part["index"]), ends, row["tensor"], kind, *figures)
