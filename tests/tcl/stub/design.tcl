# Stub of the IP integrator: cells, pins, interfaces, nets, addresses and the rules of validation.

namespace eval design {
    variable open 0
    variable cells {}       ;# /cell → {ip config}
    variable nets {}        ;# /cell/pin or /port → net number
    variable links {}       ;# interface → interface at its other end
    variable ports {}       ;# /port → {direction kind}, interfaces: {interface mode}
    variable next 0
    variable addressed {}   ;# master interface → slave interfaces
    variable assigned 0
    variable saved 0
    variable generated 0
    variable validated 0
    variable io_missing {}
    variable preset ""
}

stub::define design::changed {} {
    set design::validated 0
    set design::saved 0
    set design::assigned 0
}
stub::define design::need {command} {if {!$design::open} {stub::reject "$command: no block design is open"}}
stub::define design::has_cell {name} {return [dict exists $design::cells $name]}
stub::define design::ip {cell} {return [dict get $design::cells $cell ip]}
stub::define design::has_processing_system {} {
    foreach cell [dict keys $design::cells] {
        if {[design::ip $cell] in {processing_system7 zynq_ultra_ps_e}} {return 1}
    }
    return 0
}
stub::define design::parameter {cell name} {
    set config [dict get $design::cells $cell config]
    if {![dict exists $config $name]} {stub::reject "[design::ip $cell] has no parameter $name"}
    return [dict get $config $name]
}
stub::define design::configure {object name value} {
    if {[dict exists $design::ports $object]} {
        if {$name ni {POLARITY FREQ_HZ}} {stub::reject "set_property: a port has no CONFIG.$name"}
        if {$name eq "POLARITY"} {
            dict set design::ports $object [list I [expr {$value eq "ACTIVE_LOW" ? "rst_low" : "rst_high"}]]
        }
        return
    }
    if {![design::has_cell $object]} {stub::reject "set_property: no object '$object'"}
    design::parameter $object $name
    if {![catalogue::legal $name $value]} {stub::reject "[design::ip $object]: $name cannot be '$value'"}
    dict set design::cells $object config $name $value
    foreach {asked actual} {PCW_FPGA0_PERIPHERAL_FREQMHZ PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ
        PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ} {
        if {$name eq $asked} {dict set design::cells $object config $actual $value}
    }
    design::changed
}
# All pins (or interfaces) of the design as they follow from the configuration now.
stub::define design::all {what} {
    set found {}
    dict for {cell entry} $design::cells {
        dict for {name fields} [catalogue::$what [dict get $entry ip] [dict get $entry config]] {
            dict set found $cell/$name $fields
        }
    }
    return $found
}
stub::define design::find {what name} {
    set path /[string trimleft $name /]
    return [expr {[dict exists [design::all $what] $path] ? $path : ""}]
}

stub::command create_bd_design {
    vivado::need_project create_bd_design
    set design::open 1
    if {[lindex $positional 0] ne "design"} {stub::reject "create_bd_design: the wrapper expects 'design'"}
    dict set vivado::files [file join [dict get $vivado::project DIRECTORY] design.bd] sources_1
}
stub::command create_bd_cell {
    design::need create_bd_cell
    if {[stub::given $options -type ip] ne "ip"} {stub::reject "create_bd_cell: type"}
    set name [lindex $positional 0]
    set vlnv [split [stub::given $options -vlnv] :]
    if {![regexp {^[A-Za-z]\w*$} $name] || [design::has_cell /$name]} {stub::reject "create_bd_cell: name '$name'"}
    if {[join $vlnv :] eq $::VLNV} {
        if {!$vivado::catalogue_fresh} {stub::reject "create_bd_cell: $::VLNV is not in the catalogue"}
        set ip partition
    } else {
        set ip [lindex $vlnv 2]
        set known {processing_system7 zynq_ultra_ps_e smartconnect proc_sys_reset}
        if {[lrange $vlnv 0 1] ne {xilinx.com ip} || $ip ni $known || [llength $vlnv] ni {3 4}} {
            stub::reject "create_bd_cell: no IP '[join $vlnv :]' in the catalogue"
        }
        set part [dict get $vivado::project PART]
        set series [dict create processing_system7 xc7z zynq_ultra_ps_e xczu]
        if {[dict exists $series $ip] && ![string match [dict get $series $ip]* $part]} {
            stub::reject "create_bd_cell: $ip does not exist in $part"
        }
    }
    dict set design::cells /$name [dict create ip $ip config [catalogue::parameters $ip]]
    design::changed
    return /$name
}
stub::command apply_bd_automation {
    set cell [lindex $positional 0]
    if {![design::has_cell $cell]} {stub::reject "apply_bd_automation: no cell '$cell'"}
    if {[dict get $options -rule] ne "xilinx.com:bd_rule:[design::ip $cell]"} {
        stub::reject "apply_bd_automation: rule [dict get $options -rule] is not for [design::ip $cell]"
    }
    set config [dict get $options -config]
    dict for {name value} $config {
        switch $name {
            make_external {
                foreach interface [split [string map {, " "} $value]] {
                    if {$interface ne ""} {dict set design::ports /$interface [list interface external]}
                }
            }
            apply_board_preset {
                if {$value && [dict get $vivado::project BOARD_PART] eq ""} {stub::reject "board preset without a board"}
                if {!$value && [dict get $vivado::project BOARD_PART] ne ""} {stub::reject "a board, but not its preset"}
            }
            Master - Slave {if {$value ni {Enable Disable}} {stub::reject "apply_bd_automation: $name '$value'"}}
            default {stub::reject "apply_bd_automation: no configuration '$name'"}
        }
    }
}
stub::command get_bd_cells {
    set name /[string trimleft [lindex $positional 0] /]
    return [expr {[design::has_cell $name] ? $name : ""}]
}
stub::command get_bd_pins {return [design::find pins [lindex $positional 0]]}
stub::command get_bd_intf_pins {return [design::find interfaces [lindex $positional 0]]}
stub::command get_bd_ports {
    set name /[string trimleft [lindex $positional 0] /]
    return [expr {[dict exists $design::ports $name] ? $name : ""}]
}
stub::command create_bd_port {
    set name /[lindex $positional 0]
    if {[dict exists $design::ports $name]} {stub::reject "create_bd_port: $name exists"}
    set kind [stub::given $options -type data]
    if {[stub::given $options -dir] ni {I O} || $kind ni {clk rst intr data}} {stub::reject "create_bd_port: options"}
    if {$kind eq "clk" && ![string is integer -strict [stub::given $options -freq_hz]]} {
        stub::reject "create_bd_port: a clock needs -freq_hz"
    }
    # A reset port is active low unless told otherwise; the interpreter wants to be told.
    dict set design::ports $name [list [dict get $options -dir] [expr {$kind eq "rst" ? "rst_unknown" : $kind}]]
    return $name
}
stub::command make_bd_pins_external {
    foreach pin $positional {
        if {![dict exists [design::all pins] $pin] || [dict exists $design::nets $pin]} {stub::reject "external '$pin'"}
        dict set design::nets $pin [incr design::next]
        dict set design::ports /[file tail $pin]_0 {O intr}
    }
}
stub::command make_bd_intf_pins_external {
    foreach interface $positional {
        if {![dict exists [design::all interfaces] $interface] || [dict exists $design::links $interface]} {
            stub::reject "make_bd_intf_pins_external: '$interface'"
        }
        set mode [lindex [dict get [design::all interfaces] $interface] 0]
        set port /[file tail $interface]_0
        dict set design::ports $port [list interface $mode]
        dict set design::links $interface $port
    }
}

stub::command connect_bd_net {
    design::need connect_bd_net
    design::changed
    set pins [design::all pins]
    set driver ""
    set sinks {}
    if {[llength $positional] < 2} {stub::reject "connect_bd_net: one end only"}
    foreach object $positional {
        if {[dict exists $design::ports $object]} {
            lassign [dict get $design::ports $object] direction kind
            set drives [expr {$direction eq "I"}]
        } elseif {[dict exists $pins $object]} {
            lassign [dict get $pins $object] direction kind
            set drives [expr {$direction eq "O"}]
        } else {
            stub::reject "connect_bd_net: no pin '$object'"
        }
        if {$drives} {
            if {$driver ne ""} {stub::reject "connect_bd_net: $object and $driver both drive"}
            set driver $object
            set driving $kind
        } else {
            if {[dict exists $design::nets $object]} {stub::reject "connect_bd_net: $object is already driven"}
            if {$object in [dict keys $sinks]} {stub::reject "connect_bd_net: $object twice"}
            dict set sinks $object $kind
        }
    }
    if {$driver eq ""} {stub::reject "connect_bd_net: nothing drives $positional"}
    set net [expr {[dict exists $design::nets $driver] ? [dict get $design::nets $driver] : [incr design::next]}]
    dict set design::nets $driver $net
    dict for {sink kind} $sinks {
        set fits [expr {$kind eq $driving || ($kind eq "rst_any" && [string match rst_* $driving])}]
        if {!$fits} {stub::reject "connect_bd_net: $driver ($driving) cannot drive $sink ($kind)"}
        dict set design::nets $sink $net
    }
}
stub::command connect_bd_intf_net {
    design::need connect_bd_intf_net
    design::changed
    set known [design::all interfaces]
    foreach object $positional {
        if {![dict exists $known $object]} {stub::reject "connect_bd_intf_net: no interface '$object'"}
        if {[dict exists $design::links $object]} {stub::reject "connect_bd_intf_net: $object is already connected"}
    }
    lassign $positional one other
    lassign [dict get $known $one] mode protocol clock bits
    lassign [dict get $known $other] other_mode other_protocol other_clock other_bits
    if {[lsort [list $mode $other_mode]] ne {master slave}} {
        stub::reject "connect_bd_intf_net: $one ($mode) with $other ($other_mode)"
    }
    if {$protocol ne $other_protocol && "any" ni [list $protocol $other_protocol]} {
        stub::reject "connect_bd_intf_net: $one speaks $protocol, $other $other_protocol"
    }
    if {$bits && $other_bits && $bits != $other_bits} {stub::reject "connect_bd_intf_net: $bits bits with $other_bits"}
    dict set design::links $one $other
    dict set design::links $other $one
}

# Slaves behind a master interface, through interconnects.
stub::define design::reach {master} {
    if {![dict exists $design::links $master]} {return {}}
    set end [dict get $design::links $master]
    if {[dict exists $design::ports $end]} {return [list $end]}
    set cell [file dirname $end]
    if {[design::ip $cell] ne "smartconnect"} {return [list $end]}
    set found {}
    dict for {name fields} [catalogue::interfaces smartconnect [dict get $design::cells $cell config]] {
        if {[lindex $fields 0] eq "master"} {lappend found {*}[design::reach $cell/$name]}
    }
    return $found
}
stub::command assign_bd_address {
    design::need assign_bd_address
    set design::addressed {}
    dict for {interface fields} [design::all interfaces] {
        if {[lindex $fields 0] eq "master" && [design::ip [file dirname $interface]] ne "smartconnect"} {
            dict set design::addressed $interface [design::reach $interface]
        }
    }
    dict for {master slaves} $design::addressed {design::apart $master $slaves}
    set design::assigned 1
}

# Segments of one master's address space, as Vivado gives them: registers one after the other, every memory port the same
# memory at the same place. Two that overlap cannot both be reached.
stub::define design::apart {master slaves} {
    set taken {}
    set registers 0x40000000
    foreach slave $slaves {
        if {[dict exists $design::ports $slave]} continue
        if {[string match */s_axi_control $slave]} {
            lassign [list $registers 0x10000] base size
            incr registers 0x10000
        } else {
            lassign {0 0x20000000} base size
        }
        foreach {other first length} $taken {
            if {$base < $first + $length && $first < $base + $size} {
                stub::reject "assign_bd_address: segments of $other and $slave overlap in the space of $master"
            }
        }
        lappend taken $slave $base $size
    }
}

stub::command validate_bd_design {
    design::need validate_bd_design
    if {!$design::assigned} {stub::reject "validate_bd_design: addresses are not assigned"}
    set pins [design::all pins]
    set interfaces [design::all interfaces]
    dict for {pin fields} $pins {
        if {[lindex $fields 2] && ![dict exists $design::nets $pin]} {stub::reject "validate: $pin is not connected"}
    }
    set reached {}
    dict for {master slaves} $design::addressed {
        if {![llength $slaves]} {stub::reject "validate: $master has no address"}
        set memory [string match */m_axi_* $master]
        foreach slave $slaves {
            if {$memory == [string match */s_axi_control $slave]} {stub::reject "validate: $master must not reach $slave"}
        }
        lappend reached {*}$slaves
    }
    dict for {interface fields} $interfaces {
        lassign $fields mode protocol clock
        if {$mode eq "external"} {
            if {![dict exists $design::ports /[file tail $interface]]} {dict set design::io_missing $interface 1}
            continue
        }
        if {![dict exists $design::links $interface]} {stub::reject "validate: $interface is not connected"}
        set end [dict get $design::links $interface]
        if {[dict exists $design::ports $end]} continue
        if {$mode eq "slave" && [design::ip [file dirname $interface]] ne "smartconnect" && $interface ni $reached} {
            stub::reject "validate: no master reaches $interface"
        }
        set other [file dirname $end]/[lindex [dict get $interfaces $end] 2]
        if {[dict get $design::nets [file dirname $interface]/$clock] ne [dict get $design::nets $other]} {
            stub::reject "validate: $interface and $end have different clocks"
        }
    }
    if {[dict size $design::io_missing]} {stub::reject "validate: [dict keys $design::io_missing] must be external"}
    set design::validated 1
}
stub::command save_bd_design {
    if {!$design::validated} {stub::reject "save_bd_design: not validated"}
    set design::saved 1
}
