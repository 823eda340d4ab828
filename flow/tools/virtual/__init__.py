"""The virtual board: partitions compiled instead of synthesised, run by the build's own host program."""

from flow.tools.virtual.device import make_device
from flow.tools.virtual.run import BoardRun, run_board

__all__ = ["BoardRun", "make_device", "run_board"]
