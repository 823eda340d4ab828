# What the stub knows of IP: parameters with their defaults, pins and interfaces as they follow from the parameters.
# Sources: PG082 (processing_system7), PG201 (zynq_ultra_ps_e), PG247 (smartconnect), PG164 (proc_sys_reset), UG1399,
# "Vitis HLS Interfaces" (pins of an exported IP).
#
# pins:       name → direction (I, O) kind (clk, rst_low, rst_high, rst_any, intr, data) needed (1: must be connected)
# interfaces: name → mode (master, slave, external) protocol (axi3, axi4, lite, any, board) clock pin, bits (0: adapts)

namespace eval catalogue {}

stub::define catalogue::parameters {ip} {
    switch $ip {
        processing_system7 {
            set known {PCW_USE_M_AXI_GP0 1 PCW_USE_M_AXI_GP1 0 PCW_EN_CLK0_PORT 1 PCW_EN_RST0_PORT 1
                PCW_USE_FABRIC_INTERRUPT 0 PCW_IRQ_F2P_INTR 0 PCW_FPGA0_PERIPHERAL_FREQMHZ 50
                PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ 50 PCW_UIPARAM_DDR_PARTNO {MT41J256M8 HX-15E}}
            for {set k 0} {$k < 4} {incr k} {lappend known PCW_USE_S_AXI_HP$k 0 PCW_S_AXI_HP${k}_DATA_WIDTH 64}
        }
        zynq_ultra_ps_e {
            set known {PSU__USE__M_AXI_GP0 1 PSU__USE__M_AXI_GP1 1 PSU__USE__M_AXI_GP2 0 PSU__MAXIGP0__DATA_WIDTH 128
                PSU__FPGA_PL0_ENABLE 1 PSU__USE__FABRIC__RST 1 PSU__USE__IRQ0 1
                PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100 PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ 100}
            for {set k 2} {$k < 6} {incr k} {lappend known PSU__USE__S_AXI_GP$k 0 PSU__SAXIGP${k}__DATA_WIDTH 128}
        }
        smartconnect {set known {NUM_SI 2 NUM_MI 1 NUM_CLKS 1}}
        proc_sys_reset {set known {C_EXT_RST_WIDTH 4 C_EXT_RESET_HIGH 0}}
        default {set known {}}
    }
    return $known
}

# Legal values where a wrong one has been seen in the field.
stub::define catalogue::legal {name value} {
    switch -glob $name {
        PCW_USE_* - PCW_EN_* - PCW_IRQ_F2P_INTR - PSU__USE__* - PSU__FPGA_PL0_ENABLE {return [expr {$value in {0 1}}]}
        PCW_S_AXI_HP?_DATA_WIDTH {return [expr {$value in {32 64}}]}
        PSU__SAXIGP?__DATA_WIDTH - PSU__MAXIGP?__DATA_WIDTH {return [expr {$value in {32 64 128}}]}
        NUM_SI - NUM_MI {return [expr {[string is integer -strict $value] && $value >= 1 && $value <= 16}]}
        *FREQMHZ {return [expr {[string is double -strict $value] && $value > 0 && $value <= 500}]}
    }
    return 1
}

stub::define catalogue::pins {ip config} {
    set pins {}
    dict with config {}
    switch $ip {
        processing_system7 {
            if {$PCW_EN_CLK0_PORT} {dict set pins FCLK_CLK0 {O clk 0}}
            if {$PCW_EN_RST0_PORT} {dict set pins FCLK_RESET0_N {O rst_low 0}}
            if {$PCW_USE_FABRIC_INTERRUPT && $PCW_IRQ_F2P_INTR} {dict set pins IRQ_F2P {I intr 0}}
            foreach k {0 1} {if {[set PCW_USE_M_AXI_GP$k]} {dict set pins M_AXI_GP${k}_ACLK {I clk 1}}}
            foreach k {0 1 2 3} {if {[set PCW_USE_S_AXI_HP$k]} {dict set pins S_AXI_HP${k}_ACLK {I clk 1}}}
        }
        zynq_ultra_ps_e {
            if {$PSU__FPGA_PL0_ENABLE} {dict set pins pl_clk0 {O clk 0}}
            if {$PSU__USE__FABRIC__RST} {dict set pins pl_resetn0 {O rst_low 0}}
            if {$PSU__USE__IRQ0} {dict set pins pl_ps_irq0 {I intr 0}}
            foreach {k pin} {0 maxihpm0_fpd_aclk 1 maxihpm1_fpd_aclk 2 maxihpm0_lpd_aclk} {
                if {[set PSU__USE__M_AXI_GP$k]} {dict set pins $pin {I clk 1}}
            }
            foreach k {0 1 2 3} {
                if {[set PSU__USE__S_AXI_GP[expr {$k + 2}]]} {dict set pins saxihp${k}_fpd_aclk {I clk 1}}
            }
        }
        smartconnect {set pins {aclk {I clk 1} aresetn {I rst_low 1}}}
        proc_sys_reset {
            set pins {slowest_sync_clk {I clk 1} ext_reset_in {I rst_any 1} aux_reset_in {I rst_any 0}
                mb_debug_sys_rst {I rst_high 0} dcm_locked {I data 0} mb_reset {O rst_high 0} bus_struct_reset {O rst_high 0}
                peripheral_reset {O rst_high 0} interconnect_aresetn {O rst_low 0} peripheral_aresetn {O rst_low 0}}
        }
        partition {set pins {ap_clk {I clk 1} ap_rst_n {I rst_low 1} interrupt {O intr 1}}}
    }
    return $pins
}

stub::define catalogue::interfaces {ip config} {
    set found {}
    dict with config {}
    switch $ip {
        processing_system7 {
            set found {DDR {external board {} 0} FIXED_IO {external board {} 0}}
            foreach k {0 1} {
                if {[set PCW_USE_M_AXI_GP$k]} {dict set found M_AXI_GP$k [list master axi3 M_AXI_GP${k}_ACLK 32]}
            }
            foreach k {0 1 2 3} {
                if {![set PCW_USE_S_AXI_HP$k]} continue
                dict set found S_AXI_HP$k [list slave axi3 S_AXI_HP${k}_ACLK [set PCW_S_AXI_HP${k}_DATA_WIDTH]]
            }
        }
        zynq_ultra_ps_e {
            foreach {k name pin} {0 M_AXI_HPM0_FPD maxihpm0_fpd_aclk 1 M_AXI_HPM1_FPD maxihpm1_fpd_aclk
                2 M_AXI_HPM0_LPD maxihpm0_lpd_aclk} {
                if {[set PSU__USE__M_AXI_GP$k]} {dict set found $name [list master axi4 $pin 32]}
            }
            foreach k {0 1 2 3} {
                set gp [expr {$k + 2}]
                if {![set PSU__USE__S_AXI_GP$gp]} continue
                dict set found S_AXI_HP${k}_FPD [list slave axi4 saxihp${k}_fpd_aclk [set PSU__SAXIGP${gp}__DATA_WIDTH]]
            }
        }
        smartconnect {
            for {set k 0} {$k < $NUM_SI} {incr k} {dict set found [format S%02d_AXI $k] {slave any aclk 0}}
            for {set k 0} {$k < $NUM_MI} {incr k} {dict set found [format M%02d_AXI $k] {master any aclk 0}}
        }
        partition {
            dict set found s_axi_control {slave lite ap_clk 32}
            foreach bundle $::BUNDLES {dict set found m_axi_$bundle {master axi4 ap_clk 64}}
        }
    }
    return $found
}
