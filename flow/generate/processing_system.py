"""The two processing systems that a block design can hold, as data: the Vivado template knows neither by name.

Sources: UG585 (Zynq-7000 TRM) chapter 5 for the AXI_HP ports, UG1085 (Zynq UltraScale+ TRM) chapter 35 for the
S_AXI_HP ports; PG082 and PG201 for the names of pins and of configuration parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

from flow.diagnostics import BuildError, Problem, quoted, suggest


@dataclass(frozen=True, slots=True)
class SlavePort:
    """A high-performance port: interface pin, its clock pin, and the properties that switch it on at full width."""

    interface: str
    clock: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProcessingSystem:
    """What a block design must know of a processing system.

    Attributes:
        ip: name in the catalogue (`xilinx.com:ip:<ip>`; without a version the newest of the tool is taken, and all
            tools since 2020.1 agree on the names used here).
        automation: configuration of the block automation, the board preset apart.
        clock_property: requested frequency of the fabric clock in MHz; `actual_property` what the dividers give.
        control: master interface for registers; `control_clock` its clock pin.
        fixed: properties that hold whatever the partition: one master for control, one clock, one interrupt.
        port_bits: full width of a memory port.
    """

    ip: str
    automation: tuple[tuple[str, str], ...]
    clock: str
    reset: str
    interrupt: str
    clock_property: str
    actual_property: str
    control: str
    control_clock: str
    fixed: tuple[tuple[str, str], ...]
    ports: tuple[SlavePort, ...]
    port_bits: int


def processing_system(family: str) -> ProcessingSystem:
    """Of a family (`zynq7000`, `zynquplus`). GEN010 for any other."""
    known = {"zynq7000": _zynq7000, "zynquplus": _zynquplus}
    if family not in known:
        raise BuildError(Problem("GEN010", f"no processing system in family {quoted(family)}", suggest(family, known)))
    return known[family]()


def _zynq7000() -> ProcessingSystem:
    return ProcessingSystem(
        ip="processing_system7",
        automation=(("make_external", "FIXED_IO, DDR"), ("Master", "Disable"), ("Slave", "Disable")),
        clock="FCLK_CLK0",
        reset="FCLK_RESET0_N",
        interrupt="IRQ_F2P",
        clock_property="CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ",
        actual_property="CONFIG.PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ",
        control="M_AXI_GP0",
        control_clock="M_AXI_GP0_ACLK",
        fixed=(
            ("CONFIG.PCW_USE_M_AXI_GP0", "1"),
            ("CONFIG.PCW_USE_M_AXI_GP1", "0"),
            ("CONFIG.PCW_EN_CLK0_PORT", "1"),
            ("CONFIG.PCW_EN_RST0_PORT", "1"),
            ("CONFIG.PCW_USE_FABRIC_INTERRUPT", "1"),
            ("CONFIG.PCW_IRQ_F2P_INTR", "1"),
        ),
        ports=tuple(_hp_7000(k) for k in range(4)),
        port_bits=64,
    )


def _hp_7000(k: int) -> SlavePort:
    properties = ((f"CONFIG.PCW_USE_S_AXI_HP{k}", "1"), (f"CONFIG.PCW_S_AXI_HP{k}_DATA_WIDTH", "64"))
    return SlavePort(f"S_AXI_HP{k}", f"S_AXI_HP{k}_ACLK", properties)


def _zynquplus() -> ProcessingSystem:
    return ProcessingSystem(
        ip="zynq_ultra_ps_e",
        automation=(),
        clock="pl_clk0",
        reset="pl_resetn0",
        interrupt="pl_ps_irq0",
        clock_property="CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ",
        actual_property="CONFIG.PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ",
        control="M_AXI_HPM0_FPD",
        control_clock="maxihpm0_fpd_aclk",
        fixed=(
            # GP0, GP1 and GP2 are HPM0_FPD, HPM1_FPD and HPM0_LPD (PG201); boards' presets switch on others than ours.
            ("CONFIG.PSU__USE__M_AXI_GP0", "1"),
            ("CONFIG.PSU__MAXIGP0__DATA_WIDTH", "32"),
            ("CONFIG.PSU__USE__M_AXI_GP1", "0"),
            ("CONFIG.PSU__USE__M_AXI_GP2", "0"),
            ("CONFIG.PSU__FPGA_PL0_ENABLE", "1"),
            ("CONFIG.PSU__USE__FABRIC__RST", "1"),
            ("CONFIG.PSU__USE__IRQ0", "1"),
        ),
        ports=tuple(_hp_plus(k) for k in range(4)),
        port_bits=128,
    )


def _hp_plus(k: int) -> SlavePort:
    # S_AXI_HP0_FPD is GP2 in the names of parameters: GP0 and GP1 are the cache-coherent HPC ports.
    properties = ((f"CONFIG.PSU__USE__S_AXI_GP{k + 2}", "1"), (f"CONFIG.PSU__SAXIGP{k + 2}__DATA_WIDTH", "128"))
    return SlavePort(f"S_AXI_HP{k}_FPD", f"saxihp{k}_fpd_aclk", properties)
