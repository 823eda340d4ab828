"""Cycles of a partition by token-level simulation: what the closed form is checked against, deadlocks included.

Imports none of the interval, fill or resource equations; a test holds it to that.
"""

from flow.model.simulation.machine import Simulator, simulate_partition
from flow.model.simulation.result import Deadlock, InvocationTimes, ProcessTimes, StreamTimes, Summary, Transfer, Wait
from flow.model.simulation.schedule import Schedules, load_schedules
from flow.model.simulation.timing import PortTiming, Timing, timing_of

__all__ = [
    "Deadlock",
    "InvocationTimes",
    "PortTiming",
    "ProcessTimes",
    "Schedules",
    "Simulator",
    "StreamTimes",
    "Summary",
    "Timing",
    "Transfer",
    "Wait",
    "load_schedules",
    "simulate_partition",
    "timing_of",
]
