"""Data sheets: what every IP says about itself in `ip_templates/<ip>/ip.yaml`, evaluated for one module or for arrays.

    parameters: [name, …] or {name: meaning}      the members of the C++ config struct
    derived:    {name: formula, …}                intermediate names, each may use those above it
    timing:     interval                          cycles per frame
                fill                              cycles from its first word in to its first word out, never waiting
                drain                             cycles from its last word in to its last word out
                depth                             pipeline stages from an iteration to the word that it writes
    pixels:     {let, read, write, last}          where a frame's words do not pass evenly, formulas of a pixel's number
                                                  `pixel`: trips in front of the one that takes an input pixel's first
                                                  word, that gives an output pixel's, that gives the frame's last word
    cost:       dsp, bram18, uram, lut, ff        a formula, or {formula, source, error};
                lut, ff                           or {terms: {name: formula, …}}: counts of structures, whose
                                                  coefficients stand in a calibration (`flow.model.calibration`)

`fill`, `drain` and `depth` may be left out (1 cycle), and `pixels` where words pass evenly. Other keys (summary,
arguments, schedule, …) are for other readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem, suggest
from flow.model.calibration import FITTED, UNSTATED_ERROR, Calibration, fraction, read_calibration, unknown_terms
from flow.model.formula import DSP_TYPE, Formula, linear, parse
from flow.model.resources import FIFO, FIFO_TERMS, RESOURCES, FifoCosts, fifo_cost, whole

ESTIMATES = "calibration.yaml"
"""The calibration that is used where a spec names none."""
TIMING = ("interval", "fill", "drain", "depth")
PIXEL = "pixel"
_PIXELS = ("let", "read", "write", "last")
_DEFAULTS = {"interval": "0", "fill": "1", "drain": "1", "depth": "1"} | dict.fromkeys(RESOURCES, "0")


@dataclass(frozen=True, slots=True)
class PixelTrips:
    """Formulas of a pixel's number: where in a frame its words pass (`let` first)."""

    let: tuple[tuple[str, Formula], ...]
    read: Formula
    write: Formula
    last: Formula


@dataclass(frozen=True, slots=True)
class DataSheet:
    """One IP's formulas.

    Attributes:
        figures: timing and cost; a cost that is stated by terms is among them once the sheet is `calibrated`.
        sources, errors: of the costs that state them; an error is relative.
        terms: counts of structures by resource and name.
        pixels: None where a frame's words pass evenly.
    """

    ip: str
    parameters: tuple[str, ...]
    derived: tuple[tuple[str, Formula], ...]
    figures: Mapping[str, Formula]
    sources: Mapping[str, str]
    errors: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, Formula]] = field(default_factory=dict)
    pixels: PixelTrips | None = None

    def calibrated(self, calibration: Calibration) -> DataSheet:
        """With the costs that its terms have by a calibration, and its factors. DSE024: a term without coefficient."""
        figures, errors = dict(self.figures), dict(self.errors)
        for resource in FITTED:
            if resource in self.terms:
                terms = self.terms[resource]
                coefficients = calibration.coefficients(self.ip, resource, tuple(terms))
                figures[resource] = linear([(coefficients[name], terms[name]) for name in terms])
                errors[resource] = calibration.error(self.ip, resource)
            elif (factor := calibration.factor(resource)) != 1:
                figures[resource] = linear([(factor, figures[resource])])
        return replace(self, figures=figures, errors=errors)

    def counts(self, parameters: Mapping[str, Any], resource: str, dsp_type: str) -> dict[str, float]:
        """How many units of each term one module has."""
        environment = self.environment(parameters, dsp_type)
        return {name: float(formula(environment)) for name, formula in self.terms.get(resource, {}).items()}

    def evaluate(self, parameters: Mapping[str, Any], dsp_type: str) -> dict[str, Any]:
        """Timing and cost of a module; arrays if any parameter is one.

        Args:
            parameters: a value for each of the data sheet's parameters.
            dsp_type: the device's multiplier, e.g. DSP48E1.

        Raises:
            BuildError: a missing parameter, or a formula that divides by zero.
        """
        environment = self.environment(parameters, dsp_type)
        try:
            return {name: _whole(formula(environment)) for name, formula in self.figures.items()}
        except ZeroDivisionError as problem:
            raise BuildError(Problem("DSE023", f"data sheet of {self.ip}: {problem}", "", _file(self.ip))) from problem

    def trips(self, which: str, parameters: Mapping[str, Any], pixel: Any, dsp_type: str) -> Any:
        """Trips of `pixels`: which is `read`, `write` or `last`. Raises as `evaluate` does."""
        assert self.pixels is not None, "an even frame has no formulas of pixels"
        environment = self.environment(parameters, dsp_type) | {PIXEL: pixel}
        for name, formula in self.pixels.let:
            environment[name] = formula(environment)
        return getattr(self.pixels, which)(environment)

    def environment(self, parameters: Mapping[str, Any], dsp_type: str) -> dict[str, Any]:
        """Parameters and derived values by name, for formulas of this sheet. Raises as `evaluate` does."""
        missing = [name for name in self.parameters if name not in parameters]
        if missing:
            message = f"data sheet of {self.ip}: no value for parameter '{missing[0]}'"
            raise BuildError(Problem("DSE022", message, suggest(missing[0], parameters), _file(self.ip)))
        environment: dict[str, Any] = {**parameters, DSP_TYPE: dsp_type}
        try:
            for name, formula in self.derived:
                environment[name] = formula(environment)
        except ZeroDivisionError as problem:
            raise BuildError(Problem("DSE023", f"data sheet of {self.ip}: {problem}", "", _file(self.ip))) from problem
        return environment


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The data sheets of all IPs, for one device's multipliers and one calibration."""

    sheets: Mapping[str, DataSheet]
    dsp_type: str
    calibration: Calibration
    fifo: FifoCosts

    def evaluate(self, ip: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Timing and cost of a module of `ip`; BuildError if there is no such data sheet."""
        if ip not in self.sheets:
            hint = suggest(ip, self.sheets)
            raise BuildError(Problem("DSE021", f"there is no data sheet of IP '{ip}'", hint, _file(ip)))
        return self.sheets[ip].evaluate(parameters, self.dsp_type)

    def fifo_cost(self, depth: Any, width: Any) -> dict[str, Any]:
        """Resources of FIFOs of `depth` words of `width` bits."""
        return fifo_cost(depth, width, self.fifo)

    def error(self, ip: str, resource: str) -> float:
        """Relative error of a module's (or, for `fifo`, of a FIFO's) cost."""
        if ip == FIFO:
            return self.calibration.error(FIFO, resource) if resource in FITTED else 0.0
        return self.sheets[ip].errors.get(resource, UNSTATED_ERROR if resource in FITTED else 0.0)


def _whole(value: Any) -> Any:
    """Cycles and resources are whole numbers."""
    return value if isinstance(value, int) else whole(np.asarray(value, np.float64))


def _file(ip: str) -> str:
    return f"ip_templates/{ip}/ip.yaml"


def load_catalogue(folder: Path, dsp_type: str, calibration: Calibration | None = None) -> Catalogue:
    """Read every `<folder>/<ip>/ip.yaml`; without a calibration, `<folder>/calibration.yaml` too.

    Raises:
        BuildError: all problems of all data sheets, or of the calibration.
    """
    sheets = read_sheets(folder)
    chosen = calibration or read_calibration(folder / ESTIMATES, f"{folder.name}/{ESTIMATES}")
    known = {(ip, resource): tuple(terms) for ip, sheet in sheets.items() for resource, terms in sheet.terms.items()}
    if unknown := tuple(unknown_terms(chosen, known | {(FIFO, r): FIFO_TERMS[r] for r in FITTED})):
        raise BuildError(unknown)
    costs = {r: chosen.coefficients(FIFO, r, FIFO_TERMS[r]) for r in FITTED}
    bound = {ip: sheet.calibrated(chosen) for ip, sheet in sheets.items()}
    return Catalogue(bound, dsp_type, chosen, FifoCosts(costs["lut"], costs["ff"]))


def read_sheets(folder: Path) -> dict[str, DataSheet]:
    """The data sheets of a folder by IP, without a calibration. BuildError with all problems of all of them."""
    problems: list[Problem] = []
    sheets = {}
    for path in sorted(folder.glob("*/ip.yaml")):
        try:
            sheets[path.parent.name] = read_datasheet(path.parent.name, path.read_text(encoding="utf-8"))
        except BuildError as problem:
            problems.extend(problem.problems)
    if problems:
        raise BuildError(tuple(problems))
    return sheets


def read_datasheet(ip: str, text: str) -> DataSheet:
    """Parse one data sheet; BuildError with every problem in it."""
    data = _mapping(ip, text)
    parameters = tuple(str(name) for name in data.get("parameters") or ())
    timing, cost = data.get("timing") or {}, data.get("cost") or {}
    problems = _unknown(ip, cost, RESOURCES, "cost")
    known = set(parameters)
    derived = []
    for name, value in (data.get("derived") or {}).items():
        formula = _formula(ip, f"derived.{name}", value, known, problems)
        known.add(str(name))
        derived.append((str(name), formula))
    figures: dict[str, Formula] = {}
    sources: dict[str, str] = {}
    errors: dict[str, float] = {}
    terms: dict[str, dict[str, Formula]] = {}
    for section, wanted in ((timing, TIMING), (cost, RESOURCES)):
        for key in wanted:
            value = section.get(key, _DEFAULTS[key])
            if isinstance(value, dict) and "terms" in value:
                terms[key] = _terms(ip, key, value, known, problems)
                continue
            figures[key] = _formula(ip, key, value, known, problems)
            if isinstance(value, dict):
                sources |= {key: str(value["source"])} if "source" in value else {}
                errors |= {key: _error(ip, key, value["error"], problems)} if "error" in value else {}
            elif str(value).strip() == "0":
                errors[key] = 0.0
    pixels = _pixel_trips(ip, data.get("pixels"), known, problems)
    if problems:
        raise BuildError(tuple(problems))
    return DataSheet(ip, parameters, tuple(derived), figures, sources, errors, terms, pixels)


def _terms(ip: str, key: str, value: Mapping[str, Any], known: set[str], problems: list[Problem]) -> dict[str, Formula]:
    """Counts by name; only LUTs and FFs have coefficients, everything else is counted exactly."""
    counts = value["terms"]
    if key not in FITTED or not isinstance(counts, dict) or len(value) != 1:
        hint = (
            f"{{terms: {{name: formula}}}} alone, for {' or '.join(FITTED)}; error and source stand in the calibration"
        )
        problems.append(Problem("DSE020", f"{key}: cannot be stated by these terms", hint, _file(ip)))
        return {}
    return {str(name): _formula(ip, f"{key}.{name}", text, known, problems) for name, text in counts.items()}


def _error(ip: str, key: str, text: Any, problems: list[Problem]) -> float:
    try:
        return fraction(str(text))
    except ValueError:
        problems.append(Problem("DSE020", f"{key}: the error is no percentage", "write error: 40 %", _file(ip)))
        return UNSTATED_ERROR


def _pixel_trips(ip: str, section: Any, known: set[str], problems: list[Problem]) -> PixelTrips | None:
    if section is None:
        return None
    problems += _unknown(ip, section, _PIXELS, "pixels")
    known, let = known | {PIXEL}, []
    for name, value in (section.get("let") or {}).items():
        let.append((str(name), _formula(ip, f"pixels.{name}", value, known, problems)))
        known = known | {str(name)}
    read, write, last = (_formula(ip, f"pixels.{k}", section.get(k, ""), known, problems) for k in _PIXELS[1:])
    return PixelTrips(tuple(let), read, write, last)


def _mapping(ip: str, text: str) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise BuildError(Problem("DSE020", "data sheet is no valid YAML", "", _file(ip), line, column)) from problem
    if not isinstance(data, dict) or not all(
        isinstance(data.get(k) or {}, dict) for k in ("derived", "timing", "pixels", "cost")
    ):
        hint = "keys: parameters, derived, timing, pixels, cost"
        raise BuildError(Problem("DSE020", "a data sheet is a mapping", hint, _file(ip)))
    return data


def _unknown(ip: str, section: Mapping[str, Any], known: tuple[str, ...], name: str) -> list[Problem]:
    words = [str(key) for key in section if key not in known]
    return [Problem("DSE020", f"{name}: unknown key '{word}'", suggest(word, known), _file(ip)) for word in words]


def _formula(ip: str, key: str, value: Any, known: set[str], problems: list[Problem]) -> Formula:
    text = value.get("formula", "") if isinstance(value, dict) else value
    try:
        return parse(text, known, Problem("DSE020", "", file=_file(ip)))
    except BuildError as error:
        problems.extend(Problem(p.code, f"{key}: {p.message}", p.hint, p.file) for p in error.problems)
        return parse("0", set())
