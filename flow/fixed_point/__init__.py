"""Integers with scales, rounding and saturation: the numerics contract in code."""

from flow.fixed_point.format import Format, Numbers, saturate, shift_round

__all__ = ["Format", "Numbers", "saturate", "shift_round"]
