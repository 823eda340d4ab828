"""What a structure costs in LUTs and FFs: the coefficients that the data sheets' terms are multiplied with.

    cost of a module = factor * sum over its terms of coefficient * count

A data sheet names the terms and their counts; the coefficients stand in one file, each with its source and error,
because they are what a tool's reports can tell and structure cannot (`doit calibrate` fits them). DSPs and memories are
not here: templates bind each of them, so their number is a fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem, suggest
from flow.spec.document import read_document
from flow.spec.schema import check
from flow.spec.value import Place, Value

FITTED = ("lut", "ff")
"""Resources that have coefficients."""
UNSTATED_ERROR = 0.5
"""Taken for a cost whose data sheet states no error."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What one unit of a term costs; `error` is relative, `place` where it stands."""

    value: float
    error: float
    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Cost:
    """One resource of one IP: the relative error of a module's total, and the coefficients by term."""

    error: float
    source: str
    terms: Mapping[str, Coefficient]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration file, and the factors that a spec sets on top of it.

    Attributes:
        file: as the user knows it; digest: SHA-256 of its bytes.
        costs: by IP and resource.
        factors: by resource; 1 where the spec sets none.
    """

    file: str
    digest: str
    source: str
    costs: Mapping[tuple[str, str], Cost]
    factors: Mapping[str, float]

    def factor(self, resource: str) -> float:
        return self.factors.get(resource, 1.0)

    def coefficients(self, ip: str, resource: str, terms: tuple[str, ...]) -> dict[str, float]:
        """Of every term that a data sheet names, factor included. DSE024 for a term without one."""
        known = self.costs[ip, resource].terms if (ip, resource) in self.costs else {}
        missing = [term for term in terms if term not in known]
        if missing:
            message = f"no coefficient for the term '{missing[0]}' of {ip}: {resource}"
            hint = "`doit calibrate` writes all that there are; ip_templates/calibration.yaml has the estimates"
            raise BuildError(Problem("DSE024", message, hint, self.file))
        return {term: known[term].value * self.factor(resource) for term in terms}

    def error(self, ip: str, resource: str) -> float:
        """Relative error of a module's total."""
        return self.costs[ip, resource].error if (ip, resource) in self.costs else UNSTATED_ERROR

    def as_json(self) -> dict[str, Any]:
        """What a table of resources prints: which coefficients stand behind it."""
        return {"file": self.file, "digest": self.digest, "source": self.source, "factors": dict(self.factors)}


def read_calibration(path: Path, shown: str, factors: Mapping[str, float] | None = None) -> Calibration:
    """Read a calibration file.

    Args:
        path: the file.
        shown: its name in messages and artefacts.
        factors: by resource (`FITTED`), of the spec.

    Raises:
        BuildError: SPEC0xx with every problem of the file, at its place.
    """
    root, problems = read_document(path, shown)
    problems += [problem for _, problem in check(root, "calibration")]
    if problems or root.tainted():
        raise BuildError(tuple(dict.fromkeys(problems)))
    modules = root.entries["modules"].value
    costs = {
        (ip, resource): _cost(entry.value.entries[resource].value)
        for ip, entry in modules.entries.items()
        for resource in entry.value.entries
    }
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = str(root.entries["source"].value.data).strip()
    return Calibration(shown, digest, source, costs, {r: (factors or {}).get(r, 1.0) for r in FITTED})


def fraction(text: str) -> float:
    """`40 %` as 0.4."""
    return round(float(text.replace("%", "").strip()) / 100, 9)


def _cost(value: Value) -> Cost:
    error, source = fraction(str(_data(value, "error"))), str(_data(value, "source")).strip()
    terms = value.entries["terms"].value
    return Cost(
        error, source, {name: _coefficient(entry.value, error, source) for name, entry in terms.entries.items()}
    )


def _coefficient(value: Value, error: float, source: str) -> Coefficient:
    """A number alone has the error and the source of its resource."""
    if not value.entries:
        return Coefficient(float(value.data), error, source, value.place)  # type: ignore[arg-type]
    own = str(_data(value, "source")).strip() if "source" in value.entries else source
    stated = fraction(str(_data(value, "error"))) if "error" in value.entries else error
    return Coefficient(float(_data(value, "value")), stated, own, value.place)


def _data(value: Value, key: str) -> Any:
    return value.entries[key].value.data


def unknown_terms(calibration: Calibration, known: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[Problem]:
    """DSE025 for every coefficient that no data sheet asks for: a misspelt one must not be a silent zero.

    `known`: terms by IP and resource.
    """
    ips = {ip for ip, _ in known}
    for (ip, resource), cost in calibration.costs.items():
        for term, coefficient in cost.terms.items():
            if ip not in ips:
                yield coefficient.place.problem("DSE025", f"there is no IP '{ip}' with terms", suggest(ip, ips))
                break
            if term not in known.get((ip, resource), ()):
                message = f"{ip} has no term '{term}' in its {resource}"
                yield coefficient.place.problem("DSE025", message, suggest(term, known.get((ip, resource), ())))
