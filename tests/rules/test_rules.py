"""Every shipped rule's docstring example: the rule makes `after` of `before`, and both compute the same."""

from pathlib import Path

import numpy as np
import pytest

from flow.frontend import reference_outputs
from flow.ir import Graph, verify
from flow.operators.transpose import CHANNELS_FIRST
from flow.rewrite import RewriteRule, RuleFolder, Step, example, load_rules, run_rules

RULES = load_rules([RuleFolder(Path(__file__).parents[2] / "rules" / "rewrite", "rules/rewrite")], RewriteRule)


def frames(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {name: random.standard_normal((2, *shape)).astype(np.float32) for name, shape in graph.inputs}


def structure(graph: Graph) -> tuple[object, ...]:
    return graph.inputs, graph.outputs, tuple((n.name, n.op, n.inputs, n.shape) for n in graph.nodes)


@pytest.mark.parametrize("name", sorted(RULES))
def test_example(name: str) -> None:
    shown = example(RULES[name].doc)
    assert shown is not None, f"{name} shows no example"
    result = run_rules(shown.before, [Step(RULES[name], {})])
    assert result.hits and structure(result.graph) == structure(shown.after)
    verify(result.graph)
    expected = reference_outputs(shown.before, frames(shown.before)).items()
    found = reference_outputs(result.graph, frames(shown.before)).items()
    for (_, a), (tensor, b) in zip(expected, found, strict=True):
        order = np.moveaxis(b, 1, -1) if tensor.endswith(CHANNELS_FIRST) else b
        np.testing.assert_allclose(a.reshape(2, -1), order.reshape(2, -1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", sorted(RULES))
def test_rules_are_short(name: str) -> None:
    """Past 60 lines of code a rule is two, or misses an operation of the graph."""
    source = (Path(__file__).parents[2] / RULES[name].file).read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in source.splitlines() if line.strip()]) <= 60
