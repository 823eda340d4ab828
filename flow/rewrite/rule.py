"""Rules as data: what a rule file declares with `@rewrite`, and what any rule has in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.ir import Graph, Node
from flow.rewrite.match import Link, PatternError, parse_pattern

OPTION_TYPES: Mapping[str, type] = {"bool": bool, "int": int, "float": float, "str": str}

RewriteFunction = Callable[..., Graph | None]


class RuleError(Exception):
    """The network cannot be mapped: the node and the reason, for the user who wrote the network."""

    def __init__(self, node: Node, why: str) -> None:
        self.node, self.why = node, why
        super().__init__(f"{node.name}: {why}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the loader and the pipeline know of a rule of any kind.

    Attributes:
        name: of the function, the file's stem and the word in YAML.
        function: what it does.
        file, line: where the function stands.
        options: keyword-only parameters with their types (bool, int, float, str).
        after, before: rules that it must follow or precede in the visible order, where both are listed.
        doc: the module's docstring.
    """

    name: str
    function: Callable[..., Any]
    file: str
    line: int
    options: Mapping[str, type]
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True)
class RewriteRule(Rule):
    """A rule from graph to graph: `function(graph, *nodes, **options)` where the nodes match the chain."""

    chain: tuple[Link, ...] = ()

    def __call__(self, graph: Graph, *nodes: Node, **options: Any) -> Graph | None:
        result: Graph | None = self.function(graph, *nodes, **options)
        return result


def rewrite(
    *, match: str, after: tuple[str, ...] = (), before: tuple[str, ...] = ()
) -> Callable[[RewriteFunction], RewriteRule]:
    """Decorator of the one function of a rule file.

    Args:
        match: chain of operators such as `conv | gemm > activation(activation=relu)`; see `flow.rewrite.match`.
        after, before: rules that must stand earlier or later in the pipeline.

    The function takes the graph and one node for each link, and options as keyword-only parameters with defaults. It
    returns None (does not apply) or a new graph, or raises `RuleError` where the network cannot be mapped.
    """

    def declare(function: RewriteFunction) -> RewriteRule:
        file, line = function.__code__.co_filename, function.__code__.co_firstlineno
        try:
            chain = parse_pattern(match)
        except PatternError as error:
            raise BuildError(Problem("RULE013", f"{function.__name__}: {error}", error.hint, file, line)) from None
        options = rule_options(function, 1 + len(chain), "the graph, and one node for each link of `match`")
        doc = str(function.__globals__.get("__doc__") or "")
        return RewriteRule(function.__name__, function, file, line, options, after, before, doc, chain)

    return declare


def rule_options(function: Callable[..., Any], positional: int, arguments: str) -> dict[str, type]:
    """Types of the keyword-only parameters; BuildError if the signature is not a rule's.

    Args:
        function: the rule's function.
        positional: how many arguments it is called with.
        arguments: what these are, as a hint.
    """
    name, code = function.__name__, function.__code__
    problems = []
    parameters = list(inspect.signature(function).parameters.values())
    taken = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(taken) != positional or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        message = f"{name} takes {len(taken)} arguments, but is called with {positional}"
        problems.append(Problem("RULE003", message, arguments))
    options = {}
    for parameter in [p for p in parameters if p.kind is p.KEYWORD_ONLY]:
        kind = OPTION_TYPES.get(getattr(parameter.annotation, "__name__", str(parameter.annotation)))
        if kind is None or parameter.default is parameter.empty:
            message = (
                f"{name}: option '{parameter.name}' needs a default and one of the types {', '.join(OPTION_TYPES)}"
            )
            problems.append(Problem("RULE003", message))
        else:
            options[parameter.name] = kind
    if problems:
        where = code.co_filename, code.co_firstlineno
        raise BuildError(tuple(Problem(p.code, p.message, p.hint, *where) for p in problems))
    return options
