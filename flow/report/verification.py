"""`verification.json` in words: what ran, on how many frames, with which result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flow.report.records import Document
from flow.report.text import count, percent, shown, significant


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is good | bad | none."""

    state: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was compared; `kind` is simulated, or emulated where the emulator stands for the C++."""

    what: str
    value: str
    meaning: str
    kind: str = "simulated"


@dataclass(frozen=True, slots=True)
class Cycles:
    """A module's cycles a frame as the model says and as the generated C++ ran."""

    partition: int
    name: str
    node: str
    modelled: float
    simulated: float

    @property
    def deviation(self) -> float:
        """(simulated - modelled) / modelled."""
        return (self.simulated - self.modelled) / self.modelled if self.modelled else 0.0


def verdict(verification: Document | None) -> Verdict:
    """The one thing to know first."""
    if verification is None:
        return Verdict("none", "not simulated", "nothing was compiled or run yet: every number is modelled")
    number = verification["frames"]
    ran = f"{count(number)} frame{'s' if number != 1 else ''}{_modes(verification)}"
    if verification["csim_equals_emulator"]:
        return Verdict("good", "bit-exact", f"the generated C++ equals the integer emulator in every bit, {ran}")
    largest = count(verification["max_abs_difference"])
    return Verdict("bad", "not bit-exact", f"the generated C++ differs from the emulator by up to {largest}, {ran}")


def _modes(verification: Document) -> str:
    names = [shown(str(name)) for name in verification.get("modes", ())]
    return f", {' and '.join(names)} mode{'s' if len(names) > 1 else ''}" if names else ""


def findings(verification: Document) -> tuple[Finding, ...]:
    """Everything that was compared, the most important first."""
    return tuple(_findings(verification))


def _findings(data: Document) -> Iterator[Finding]:
    yield Finding("frames", count(data["frames"]), f"through the compiled C++{_modes(data)}")
    yield Finding("largest difference", count(data["max_abs_difference"]), "C++ against emulator, integer steps")
    yield from _ran(data)
    noise, agreement = data.get("sqnr_db"), data.get("top1_agreement")
    quality = f"{noise:.1f} dB" if noise is not None else "–"
    yield Finding("SQNR", quality, "network's output against ONNX Runtime's float")
    same = percent(agreement) if agreement is not None else "–"
    yield Finding("top-1 agreement", same, "same first class as ONNX Runtime")
    yield from _accuracy(data)
    yield from _emulated(data.get("emulated"))
    yield from _alive(data)
    yield from _intervals(data.get("timed"))


def _ran(data: Document) -> Iterator[Finding]:
    """Partitions and passes that ran, beside what the schedule asks for."""
    ran, scheduled = data.get("partitions"), data.get("scheduled")
    if not ran:
        return
    passes = sum(len(part["passes"]) for part in ran)
    equal = "all that the schedule asks for" if ran == scheduled else "not what the schedule asks for"
    yield Finding("partitions, passes", f"{count(len(ran))}, {count(passes)}", equal)


def _accuracy(data: Document) -> Iterator[Finding]:
    accuracy = data.get("accuracy")
    if accuracy is None:
        yield Finding("accuracy", "–", "the simulated frames have no labels")
        return
    share = accuracy["value"] if isinstance(accuracy, Mapping) else accuracy
    reference = data.get("float_accuracy")
    words = [_interval(accuracy)] if isinstance(accuracy, Mapping) else []
    words += [f"float: {percent(reference)}"] if isinstance(reference, int | float) else []
    yield Finding("accuracy", percent(share), "; ".join(w for w in words if w) or "top-1 of the simulated frames")


def _emulated(fidelity: Document | None) -> Iterator[Finding]:
    """Fidelity over more frames than the C++ ran on; the emulator is equal to it in every bit."""
    if not fidelity:
        return
    frames = count(fidelity["frames"])
    for key, label in (("accuracy", "accuracy, fixed point"), ("float_accuracy", "accuracy, float")):
        if share := fidelity.get(key):
            yield Finding(label, percent(share["value"]), f"{_interval(share)}, {frames} unseen images", "emulated")
    if fidelity.get("top1_agreement") is not None:
        agreement = percent(fidelity["top1_agreement"])
        yield Finding("agreement, fixed and float", agreement, f"top-1 over {frames} frames", "emulated")


def _intervals(passes: Sequence[Mapping[str, Any]] | None) -> Iterator[Finding]:
    """The partition whose simulated interval is furthest above the model's."""
    compared = [(p["simulated"]["interval"] / p["modelled"]["interval"], p) for p in passes or ()]
    if not compared:
        return
    ratio, worst = max(compared, key=lambda c: c[0])
    modelled = count(worst["modelled"]["interval"])
    meaning = f"partition {worst['partition']}, cycles a frame; modelled {modelled}, {percent(ratio - 1)} off"
    yield Finding("interval, timed", count(worst["simulated"]["interval"]), meaning)


def _interval(share: Mapping[str, Any]) -> str:
    return f"{percent(share['low'])} – {percent(share['high'])} (95 %)" if "low" in share else ""


def _alive(data: Document) -> Iterator[Finding]:
    """The compared tensors that say least: fewest distinct values, most saturated ones."""
    tensors = data.get("tensors")
    if not tensors:
        return
    distinct, saturated = min(t["distinct"] for t in tensors), max(t["saturated"] for t in tensors)
    weak = [shown(str(t["tensor"])) for t in tensors if t.get("degenerate")]
    meaning = f"degenerate: {', '.join(weak)}" if weak else "of those possible, in the compared tensor with the fewest"
    yield Finding("distinct values", percent(distinct), meaning)
    yield Finding("saturated values", percent(saturated), "in the compared tensor with the most")


def cycles(verification: Document | None) -> tuple[Cycles, ...]:
    """Simulated beside modelled cycles, the largest deviation first."""
    if verification is None:
        return ()
    found = [
        Cycles(m["partition"], shown(m["module"]), shown(m["node"]), m["modelled"], m["simulated"])
        for m in verification.get("modules", ())
        if m["modelled"] or m["simulated"]
    ]
    return tuple(sorted(found, key=lambda c: (-abs(c.deviation), c.partition, -c.modelled, c.name)))


def agreement(compared: tuple[Cycles, ...]) -> str:
    """How well the model foretold the C++, in one line."""
    if not compared:
        return ""
    exact = sum(c.simulated == c.modelled for c in compared)
    largest = compared[0].deviation
    every = "" if exact == len(compared) else f"; largest deviation {significant(100 * largest)} %"
    return f"simulated cycles equal the model's in {count(exact)} of {count(len(compared))} modules{every}"
