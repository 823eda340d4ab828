"""Rewrite rules: their declaration, loading, pipelines, and the driver that runs them."""

from flow.rewrite.driver import Hit, Rewritten, run_rules, without_hardware
from flow.rewrite.examples import Example, example
from flow.rewrite.loader import load_rules
from flow.rewrite.pipeline import Step, check_entries
from flow.rewrite.rule import RewriteRule, Rule, RuleError, rewrite, rule_options
from flow.rewrite.text import TextError, format_graph, parse_graph
from flow.spec.pipeline import Entry, Pipeline, RuleFolder, load_pipeline

__all__ = [
    "Entry",
    "Example",
    "Hit",
    "Pipeline",
    "RewriteRule",
    "Rewritten",
    "Rule",
    "RuleError",
    "RuleFolder",
    "Step",
    "TextError",
    "check_entries",
    "example",
    "format_graph",
    "load_pipeline",
    "load_rules",
    "parse_graph",
    "rewrite",
    "rule_options",
    "run_rules",
    "without_hardware",
]
