"""Operators whose integers stay in the format of their input."""

from __future__ import annotations

from flow.ir import Operator


class KeepsFormat(Operator):
    """The output's format is the first input's: values are chosen, moved or averaged, never rescaled."""
