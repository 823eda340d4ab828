"""Measurements that anybody can repeat: each group writes what it found beside the goal, and whether the goal holds."""

from flow.benchmarks.groups import groups_table, run_group
from flow.benchmarks.record import Record

__all__ = ["Record", "groups_table", "run_group"]
