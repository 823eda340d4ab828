"""The default pipeline's rewrite rules, for figures that start from a graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.ir import Graph
    from flow.rewrite import RewriteRule, Step


def rewrite_steps(root: Path) -> tuple[Step[RewriteRule], ...]:
    """The rules of the project at `root`, in their order."""
    from flow.rewrite import RewriteRule, RuleFolder, check_entries, load_pipeline, load_rules

    pipeline = load_pipeline(root / "rules" / "pipelines" / "default.yaml", "rules/pipelines/default.yaml")
    rules = load_rules([RuleFolder((root / "rules" / "rewrite").absolute(), "rules/rewrite")], RewriteRule)
    return tuple(check_entries(pipeline.rewrite, rules))


def rewritten(root: Path, graph: Graph) -> Graph:
    """A graph after the default pipeline."""
    from flow.rewrite import run_rules

    return run_rules(graph, rewrite_steps(root)).graph
