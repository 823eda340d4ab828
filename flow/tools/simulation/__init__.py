"""C simulation of what was generated, compared bit by bit with the emulator."""

from flow.tools.simulation.cycles import CyclesOfPass, add_cycles, simulate_cycles
from flow.tools.simulation.verification import Verification, modes_for
from flow.tools.simulation.verify import simulate

__all__ = ["CyclesOfPass", "Verification", "add_cycles", "modes_for", "simulate", "simulate_cycles"]
