"""Problems that a user can cause: codes, positions, suggestions, and how they print.

Codes: SPEC0xx specs, CLI0xx command line, ONNX0xx import, RULE0xx rules and pipelines, NUM0xx numerics,
DSE0xx exploration, GEN0xx generation, SIM0xx simulation, TOOL0xx tools.
"""

from flow.diagnostics.problem import BuildError, Problem
from flow.diagnostics.render import place, render, render_all, source_lines
from flow.diagnostics.suggest import closest, quoted, suggest

__all__ = ["BuildError", "Problem", "closest", "place", "quoted", "render", "render_all", "source_lines", "suggest"]
