"""C simulation of what was generated, compared bit by bit with the emulator."""

from flow.tools.simulation.verification import Verification, modes_for
from flow.tools.simulation.verify import simulate

__all__ = ["Verification", "modes_for", "simulate"]
