"""Running rules to their fixed point, verified and logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.ir import Graph, GraphError, Node, verify
from flow.ir.live import live
from flow.rewrite.match import matches
from flow.rewrite.pipeline import Step
from flow.rewrite.rule import RewriteRule, RuleError

MOST_ROUNDS = 20
"""How often the whole list may run again before rules that undo each other are suspected."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that applied: which, and to which nodes, with where the user wrote them."""

    rule: str
    nodes: tuple[str, ...]
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The result of a pipeline.

    Attributes:
        graph: the last graph.
        hits: in the order of application.
        steps: names of the rules in their order.
    """

    graph: Graph
    hits: tuple[Hit, ...]
    steps: tuple[str, ...]

    def log(self) -> str:
        """A line for each rule of the pipeline, and one for each place where it applied."""
        lines = []
        for number, name in enumerate(self.steps, 1):
            hits = [hit for hit in self.hits if hit.rule == name]
            places = f"{len(hits)} place{'s' * (len(hits) != 1)}" if hits else "matched nothing"
            lines.append(f"{number} {name}: {places}")
            lines += [f"    {', '.join(hit.nodes)}  [{', '.join(filter(None, hit.origins))}]" for hit in hits]
        return "\n".join(lines) + "\n"


def run_rules(graph: Graph, steps: Sequence[Step[RewriteRule]]) -> Rewritten:
    """Apply the rules in order, each wherever it matches, and the whole list again until nothing changes.

    Raises:
        BuildError: a rule refuses the network (RULE008), breaks the graph (RULE009), fails itself (RULE010), or rules
            undo each other (RULE011).
    """
    hits: list[Hit] = []
    for _ in range(MOST_ROUNDS):
        before = len(hits)
        for step in steps:
            graph = _exhaust(graph, step, hits)
        if len(hits) == before:
            return Rewritten(graph, tuple(hits), tuple(step.rule.name for step in steps))
    last = sorted({hit.rule for hit in hits[before:]})
    message = f"no fixed point after {MOST_ROUNDS} rounds: {', '.join(map(quoted, last))} keep applying"
    raise BuildError(Problem("RULE011", message, "do they undo each other?"))


def _exhaust(graph: Graph, step: Step[RewriteRule], hits: list[Hit]) -> Graph:
    """One rule everywhere; a node that it refused once is asked again only when something has changed."""
    rule, bound = step.rule, 10 * len(graph.nodes) + 100
    for _ in range(bound):
        applied = _first(graph, step)
        if applied is None:
            return graph
        graph, hit = applied
        hits.append(hit)
    message = f"{quoted(rule.name)} still applies after {bound} times"
    raise BuildError(Problem("RULE011", message, "does it match its own result?", rule.file, rule.line, 1))


def _first(graph: Graph, step: Step[RewriteRule]) -> tuple[Graph, Hit] | None:
    for nodes in matches(graph, step.rule.chain):
        result = _call(graph, step, nodes)
        if result is None:
            continue
        result = live(result)
        try:
            verify(result)
        except GraphError as error:
            message = f"{quoted(step.rule.name)} breaks the graph at {quoted(nodes[-1].name)}: {error}"
            where = step.rule.file, step.rule.line, 1
            raise BuildError(Problem("RULE009", message, "an error of the rule", *where)) from None
        return result, Hit(step.rule.name, tuple(n.name for n in nodes), tuple(n.origin for n in nodes))
    return None


def _call(graph: Graph, step: Step[RewriteRule], nodes: tuple[Node, ...]) -> Graph | None:
    rule = step.rule
    try:
        result = rule(graph, *nodes, **step.options)
    except RuleError as error:
        message = f"{quoted(error.node.name)} cannot be mapped: {error.why}"
        raise BuildError(Problem("RULE008", message, f"says the rule {rule.name}", error.node.origin)) from None
    except (Exception, SystemExit) as error:  # a rule may be the user's own code; its failure is that rule's error
        message = f"{quoted(rule.name)} fails at {quoted(nodes[-1].name)}: {type(error).__name__}: {error}"
        line = _line(error, rule)
        raise BuildError(Problem("RULE010", message, "an error of the rule", rule.file, line, 1)) from error
    if result is not None and not isinstance(result, Graph):
        message = f"{quoted(rule.name)} returns {type(result).__name__}, not a graph or None"
        raise BuildError(Problem("RULE010", message, "return a new graph, or None", rule.file, rule.line, 1))
    return result


def _line(error: BaseException, rule: RewriteRule) -> int:
    """The line of the rule's file that the error passed through."""
    trace, line = error.__traceback__, rule.line
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == Path(rule.function.__code__.co_filename):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def without_hardware(graph: Graph) -> tuple[Problem, ...]:
    """Nodes that no module computes: to be refused before exploration."""
    shapes = graph.shapes()
    return tuple(
        Problem(
            "RULE012",
            f"{quoted(node.name)}: no module computes the operator {node.op.name}",
            "a rewrite rule must remove or absorb it; is one missing in the pipeline?",
            node.origin,
        )
        for node in graph.nodes
        if not node.op.ip and not _moves_nothing(node, shapes[node.inputs[0]])
    )


def _moves_nothing(node: Node, source: tuple[int, ...]) -> bool:
    """A frame of one pixel is flat already, and a vector is one pixel."""
    return node.op.name in ("flatten", "unflatten") and all(size == 1 for size in source[1:])
