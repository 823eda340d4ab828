"""From a design's hardware to files: C++ projects, scripts, weights and the schedule."""

from flow.generate.project import Target, generate
from flow.generate.schedule import Buffer, Schedule, Step, schedule

__all__ = ["Buffer", "Schedule", "Step", "Target", "generate", "schedule"]
