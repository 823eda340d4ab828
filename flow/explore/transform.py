"""Transformations of the design space: each rule file opens one part of it as a gene with its legal values.

A rule of `rules/transform` is one function under `@transform`. For a layer it takes the operator and its input shapes,
for a graph the graph, and options as keyword-only parameters; it returns a `Gene`, or None where it does not apply.
A part whose rule is not in the pipeline stays closed: its gene keeps its neutral value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.ir import Graph, Operator, Shape
from flow.model.weight_memory import BY_DEPTH, PLACEMENTS
from flow.rewrite import Entry, Rule, RuleFolder, check_entries, load_rules, rule_options

GENES: Mapping[str, tuple[Any, ...]] = {
    "coarse": ((1, 1, 1),), "fine": (1,), "cuts": (), "weights_reloading": (1,), "weights_placement": (BY_DEPTH,),
    "weights_streaming": ((1, 1),),
}  # fmt: skip
"""Genes and their values while no transformation opens them."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A choice of the design space.

    Attributes:
        name: `coarse` (values: coarse_in, coarse_out, coarse_group), `fine`, `cuts` (values: positions in the node
            list in front of which a partition may begin), `weights_reloading`, `weights_placement` (values: memories)
            or `weights_streaming` (values: slices, frames of a tile).
        values: legal values.
    """

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TransformRule(Rule):
    """A rule that opens a part of the design space; `applies_to`: operator classes, or Graph."""

    applies_to: tuple[type, ...] = ()


@dataclass(frozen=True, slots=True)
class Transform:
    """A rule at its place in the pipeline with its options."""

    rule: TransformRule
    options: Mapping[str, Any]

    def gene(self, op: Operator, inputs: Sequence[Shape]) -> Gene | None:
        """The gene that it opens for a layer."""
        return self._called(op, inputs) if isinstance(op, self.rule.applies_to) else None

    def graph_gene(self, graph: Graph) -> Gene | None:
        """The gene that it opens for the whole graph."""
        return self._called(graph) if Graph in self.rule.applies_to else None

    def _called(self, *arguments: Any) -> Gene | None:
        """The function's gene; RULE034 if it fails, RULE035 if that is no gene with legal values."""
        try:
            gene = self.rule.function(*arguments, **self.options)
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
            shapes = "coarse: triples, weights_streaming: pairs of numbers"
            hint = f"{shapes}; weights_placement: {', '.join(_PLACES)}; others: numbers from 1"
            raise self._problem("RULE035", f"gives the gene '{gene.name}' no legal values: {quoted(gene.values)}", hint)
        return gene

    def _problem(self, code: str, message: str, hint: str) -> BuildError:
        rule = self.rule
        return BuildError(Problem(code, f"transformation '{rule.name}' {message}", hint, rule.file, rule.line, 1))


_PLACES = (BY_DEPTH, *PLACEMENTS)
_TUPLES = {"coarse": 3, "weights_streaming": 2}


def _legal(gene: Gene) -> bool:
    """Whether the values have the form that the search reads."""
    if gene.name in _TUPLES:
        return bool(gene.values) and all(
            isinstance(v, tuple) and len(v) == _TUPLES[gene.name] and all(_positive(n) for n in v) for v in gene.values
        )
    if gene.name == "weights_placement":
        return bool(gene.values) and all(v in _PLACES for v in gene.values)
    return (gene.name == "cuts" or bool(gene.values)) and all(_positive(v) for v in gene.values)


def _positive(value: object) -> bool:
    return isinstance(value, int | np.integer) and int(value) >= 1


def transform(
    *, applies_to: type | tuple[type, ...], after: tuple[str, ...] = (), before: tuple[str, ...] = ()
) -> Callable[[Callable[..., Gene | None]], TransformRule]:
    """Decorator of the one function of a rule file.

    Args:
        applies_to: operator classes, or Graph.
        after, before: rules that must stand earlier or later in the pipeline.
    """
    classes = applies_to if isinstance(applies_to, tuple) else (applies_to,)
    positional = 1 if Graph in classes else 2

    def declare(function: Callable[..., Gene | None]) -> TransformRule:
        options = rule_options(function, positional, "the operator and its input shapes, or the graph")
        file, line = function.__code__.co_filename, function.__code__.co_firstlineno
        doc = str(function.__globals__.get("__doc__") or "")
        return TransformRule(function.__name__, function, file, line, options, after, before, doc, classes)

    return declare


def load_transforms(folders: Iterable[RuleFolder], entries: Sequence[Entry]) -> tuple[Transform, ...]:
    """The rules that a pipeline lists; BuildError as for rules of any kind."""
    steps = check_entries(entries, load_rules(folders, TransformRule))
    return tuple(Transform(step.rule, step.options) for step in steps)


def fold_factors(size: int, allow_padding: bool) -> tuple[int, ...]:
    """Factors worth having for `size` things in parallel: divisors, or the smallest factor of every number of folds."""
    if not allow_padding:
        return tuple(f for f in range(1, size + 1) if size % f == 0)
    return tuple(sorted({-(-size // folds) for folds in range(1, size + 1)}))
