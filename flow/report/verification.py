"""`verification.json` in words: what ran, on how many frames, with which result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
class Cycles:
    """A module's interval as the model says and as the generated C++ ran."""

    partition: int
    name: str
    modelled: int
    simulated: int

    @property
    def deviation(self) -> float:
        """(simulated - modelled) / modelled."""
        return (self.simulated - self.modelled) / self.modelled if self.modelled else 0.0


def verdict(verification: Document | None) -> Verdict:
    """The one thing to know first."""
    if verification is None:
        return Verdict("none", "not simulated", "nothing was compiled or run yet: every number is modelled")
    frames = verification["frames"]
    ran = f"{count(frames)} frame{'s' if frames != 1 else ''}{_modes(verification)}"
    if verification["csim_equals_emulator"]:
        return Verdict("good", "bit-exact", f"the generated C++ equals the integer emulator in every bit, {ran}")
    largest = count(verification["max_abs_difference"])
    return Verdict("bad", "not bit-exact", f"the generated C++ differs from the emulator by up to {largest}, {ran}")


def _modes(verification: Document) -> str:
    modes = verification.get("modes") or verification.get("mode") or ""
    names = [modes] if isinstance(modes, str) else list(modes)
    return f", {' and '.join(shown(str(n)) for n in names)} mode" if names and names[0] else ""


def results(verification: Document) -> tuple[tuple[str, str, str], ...]:
    """(what, value, explanation) of everything that was compared."""
    return tuple(_results(verification))


def _results(data: Document) -> Iterator[tuple[str, str, str]]:
    yield "frames", count(data["frames"]), f"run through the compiled C++{_modes(data)}"
    yield "largest difference", count(data["max_abs_difference"]), "C++ against emulator, in units of the last place"
    yield "SQNR", _or_dash(data.get("sqnr_db"), lambda v: f"{v:.1f} dB"), "fixed point against ONNX Runtime's float"
    yield "top-1 agreement", _or_dash(data.get("top1_agreement"), percent), "same first class as ONNX Runtime"
    yield from _accuracy(data.get("accuracy"))
    yield from _degeneracy(data)


def _or_dash(value: Any, form: Any) -> str:
    return "–" if value is None else str(form(value))


def _accuracy(accuracy: Any) -> Iterator[tuple[str, str, str]]:
    if accuracy is None:
        yield "accuracy", "–", "the images have no labels"
    elif not isinstance(accuracy, Mapping):
        yield "accuracy", percent(accuracy), "top-1 on labelled images"
    elif "value" in accuracy:
        yield "accuracy", percent(accuracy["value"]), _interval(accuracy)
    else:
        yield from (_named_accuracy(name, value) for name, value in accuracy.items())


def _named_accuracy(name: str, value: Any) -> tuple[str, str, str]:
    """A part of the accuracy: itself a share with its interval, or a plain value."""
    label = f"accuracy, {shown(str(name)).replace('_', ' ')}"
    if isinstance(value, Mapping) and "value" in value:
        return label, percent(value["value"]), _interval(value)
    return label, _loose(value), ""


def _interval(share: Mapping[str, Any]) -> str:
    """The 95 % interval and what it rests on."""
    words = [f"{percent(share['low'])} – {percent(share['high'])} (95 %)"] if "low" in share else []
    words += [f"{count(share['frames'])} labelled images"] if "frames" in share else []
    return ", ".join(words)


def _loose(value: Any) -> str:
    """A value of a kind that only its writer knows: fractions as per cent, pairs as an interval."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value)
        case float():
            return percent(value) if 0 <= value <= 1 else significant(value, 4)
        case list() | tuple():
            return " – ".join(_loose(v) for v in value)
    return shown(str(value))


def _degeneracy(data: Document) -> Iterator[tuple[str, str, str]]:
    """The tensor that says least: fewest distinct values, most saturated ones."""
    tensors = list(data.get("liveness", {}).values())
    if not tensors:
        return
    distinct, saturated = min(t["distinct"] for t in tensors), max(t["saturated"] for t in tensors)
    yield "distinct values", percent(distinct), "of those possible, in the compared tensor with the fewest"
    yield "saturated values", percent(saturated), "in the compared tensor with the most"


def cycles(verification: Document | None) -> tuple[Cycles, ...]:
    """Simulated beside modelled cycles, the largest deviation first."""
    if verification is None:
        return ()
    found = [
        Cycles(m["partition"], shown(m["name"]), m["modelled_cycles"], m["simulated_cycles"])
        for m in verification.get("modules", ())
    ]
    return tuple(sorted(found, key=lambda c: (-abs(c.deviation), c.partition, c.name)))
