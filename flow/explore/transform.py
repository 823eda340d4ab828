"""Transformations of the design space: each rule file opens one part of it as a gene with its legal values.

A rule of `rules/transform` is one function under `@transform`. For a layer it takes the operator and its input shapes,
for a graph the graph, and options as keyword-only parameters; it returns a `Gene`, or None where it does not apply.
A part whose rule is not in the pipeline stays closed: its gene keeps its neutral value.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.ir import Graph, Operator, Shape

GENES = {"coarse": ((1, 1, 1),), "fine": (1,), "cuts": (), "weights_reloading": (1,)}
"""Genes and their values while no transformation opens them."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A choice of the design space.

    Attributes:
        name: `coarse` (values: coarse_in, coarse_out, coarse_group), `fine`, `cuts` (values: positions in the node
            list in front of which a partition may begin) or `weights_reloading`.
        values: legal values.
    """

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Transform:
    """A loaded rule with its options bound; `file` is its name in messages."""

    name: str
    applies_to: tuple[type, ...]
    function: Callable[..., Gene | None]
    options: Mapping[str, Any]
    file: str = ""

    def gene(self, op: Operator, inputs: Sequence[Shape]) -> Gene | None:
        """The gene that it opens for a layer."""
        return self._called(op, inputs) if isinstance(op, self.applies_to) else None

    def graph_gene(self, graph: Graph) -> Gene | None:
        """The gene that it opens for the whole graph."""
        return self._called(graph) if Graph in self.applies_to else None

    def _called(self, *arguments: Any) -> Gene | None:
        """The function's gene; RULE034 if it fails, RULE035 if that is no gene with legal values."""
        try:
            gene = self.function(*arguments, **self.options)
        except BuildError:
            raise
        except (Exception, SystemExit) as error:  # a rule may be the user's own code; its failure is that rule's error
            raise self._problem("RULE034", f"fails: {type(error).__name__}: {error}", "an error of the rule") from error
        if gene is None:
            return None
        if not isinstance(gene, Gene):
            raise self._problem("RULE035", f"returns {type(gene).__name__}", "return a Gene, or None")
        if gene.name not in GENES:
            raise self._problem("RULE035", f"opens the unknown gene {quoted(gene.name)}", suggest(gene.name, GENES))
        if not _legal(gene):
            hint = "coarse takes triples of numbers, all others numbers, of at least 1"
            raise self._problem("RULE035", f"gives the gene '{gene.name}' no legal values: {quoted(gene.values)}", hint)
        return gene

    def _problem(self, code: str, message: str, hint: str) -> BuildError:
        line = self.function.__code__.co_firstlineno
        return BuildError(Problem(code, f"transformation '{self.name}' {message}", hint, self.file, line, 1))


def _legal(gene: Gene) -> bool:
    """Whether the values have the form that the search reads."""
    if gene.name == "coarse":
        return bool(gene.values) and all(
            isinstance(v, tuple) and len(v) == 3 and all(_positive(n) for n in v) for v in gene.values
        )
    return (gene.name == "cuts" or bool(gene.values)) and all(_positive(v) for v in gene.values)


def _positive(value: object) -> bool:
    return isinstance(value, int | np.integer) and int(value) >= 1


def transform(
    applies_to: type | tuple[type, ...],
) -> Callable[[Callable[..., Gene | None]], Callable[..., Gene | None]]:
    """Mark a rule's function; `applies_to` names operator classes, or Graph."""
    classes = applies_to if isinstance(applies_to, tuple) else (applies_to,)

    def mark(function: Callable[..., Gene | None]) -> Callable[..., Gene | None]:
        function.applies_to = classes  # type: ignore[attr-defined]
        return function

    return mark


def load_transforms(
    folders: Iterable[Path], chosen: Sequence[tuple[str, Mapping[str, Any]]] | None = None
) -> tuple[Transform, ...]:
    """The rules `chosen` (name, options) from `folders`; all of them without options if None.

    Raises:
        BuildError: RULE0xx for an unknown, doubled or broken rule and for unknown options, all at once.
    """
    files: dict[str, Path] = {}
    problems: list[Problem] = []
    for folder in folders:
        for path in sorted(folder.glob("[!_]*.py")):
            if path.stem in files:
                problems.append(Problem("RULE031", f"two transformations are called '{path.stem}'", "", str(path)))
            files[path.stem] = path
    wanted = [(name, {}) for name in sorted(files)] if chosen is None else list(chosen)
    loaded = []
    for name, options in wanted:
        if name not in files:
            problems.append(Problem("RULE030", f"unknown transformation '{name}'", suggest(name, files)))
            continue
        try:
            loaded.append(_load(name, files[name], options))
        except BuildError as error:
            problems.extend(error.problems)
    if problems:
        raise BuildError(tuple(problems))
    return tuple(loaded)


def _load(name: str, path: Path, options: Mapping[str, Any]) -> Transform:
    shown = os.path.relpath(path)
    shown = str(path) if shown.startswith("..") else shown
    spec = importlib.util.spec_from_file_location(f"transform_{name}", path)
    if spec is None or spec.loader is None:
        raise BuildError(Problem("RULE032", f"transformation '{name}' cannot be imported", "", shown))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:  # whatever a user's rule raises on import is one error of that file
        raise BuildError(Problem("RULE032", f"transformation '{name}': {problem!r}", "", shown)) from problem
    function = getattr(module, name, None)
    if not hasattr(function, "applies_to") or not callable(function):
        hint = f"define '{name}' under @transform(applies_to=…)"
        raise BuildError(Problem("RULE032", f"{shown} has no transformation '{name}'", hint, shown))
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise BuildError(
            tuple(Problem("RULE033", f"{name}: unknown option '{key}'", suggest(key, known)) for key in unknown)
        )
    return Transform(name, function.applies_to, function, dict(options), shown)


def fold_factors(size: int, allow_padding: bool) -> tuple[int, ...]:
    """Factors worth having for `size` things in parallel: divisors, or the smallest factor of every number of folds."""
    if not allow_padding:
        return tuple(f for f in range(1, size + 1) if size % f == 0)
    return tuple(sorted({-(-size // folds) for folds in range(1, size + 1)}))
