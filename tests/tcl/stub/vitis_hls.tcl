# Stub of Vitis HLS: the order of steps, the files that a step needs, and the version that an option came with.
# Set before: SYNTAX, SINCE (command option → first version), VERSION (the version to play).

namespace eval hls {
    variable state {project "" top "" sources {} benches {} solution "" target "" part "" clock "" uncertainty ""
        csim 0 csynth 0 cosim 0 export 0}
}

# An option that the played version does not have yet is refused, which a script may catch; it is no mistake of the script.
rename stub::parse stub::parse_any_version
stub::define stub::parse {command arguments} {
    set options [stub::parse_any_version $command $arguments]
    foreach option [dict keys $options] {
        if {[dict exists $::SINCE $command $option] && [dict get $::SINCE $command $option] > $::VERSION} {
            return -code error -level 2 "$command: $option is not known to version $::VERSION"
        }
    }
    return $options
}

stub::define hls::get {name} {
    variable state
    return [dict get $state $name]
}
stub::define hls::set_state {name value} {
    variable state
    dict set state $name $value
}
stub::define hls::need {command args} {
    foreach name $args {
        if {[hls::get $name] in {"" 0}} {
            lappend stub::problems "$command before $name"
            return -code error -level 2 "$command before $name"
        }
    }
}
stub::define hls::positive {what value} {
    if {![string is double -strict $value] || $value <= 0} {stub::reject "$what '$value' is not a positive number"}
}

stub::command open_project {
    if {![dict exists $options -reset]} {stub::reject "open_project without -reset keeps what an earlier run left"}
    hls::set_state project [lindex $positional 0]
    file mkdir [lindex $positional 0]
}
stub::command close_project {hls::set_state project ""}
stub::command set_top {
    hls::need set_top project
    set name [lindex $positional 0]
    if {![regexp {^[A-Za-z_]\w*$} $name]} {stub::reject "set_top: '$name' is not a C++ name"}
    if {$name ne $::TOP} {stub::reject "set_top: the sources have no function '$name'"}
    hls::set_state top $name
}
stub::command add_files {
    hls::need add_files project
    foreach name [lindex $positional 0] {
        if {![file exists $name]} {stub::reject "add_files: no file '$name'"}
        set kind [expr {[dict exists $options -tb] ? "benches" : "sources"}]
        hls::set_state $kind [list {*}[hls::get $kind] $name]
    }
    foreach flag [stub::given $options -cflags] {
        if {![regexp {^-[A-Za-z]} $flag]} {stub::reject "add_files: '$flag' is not a compiler flag"}
    }
}
stub::command open_solution {
    hls::need open_solution project
    if {![dict exists $options -flow_target]} {stub::reject "open_solution: -flow_target has different defaults"}
    hls::set_state solution [lindex $positional 0]
    hls::set_state target [dict get $options -flow_target]
}
stub::command set_part {
    hls::need set_part solution
    if {[lindex $positional 0] ni $::PARTS} {stub::reject "set_part: no part '[lindex $positional 0]'"}
    hls::set_state part [lindex $positional 0]
}
stub::command create_clock {
    hls::need create_clock solution
    hls::positive "create_clock: period" [stub::given $options -period]
    hls::set_state clock [stub::given $options -name default]
}
stub::command set_clock_uncertainty {
    hls::need set_clock_uncertainty clock
    lassign $positional value clock
    if {![regexp {^[0-9.]+%?$} $value]} {stub::reject "set_clock_uncertainty: '$value'"}
    if {$clock ni [list "" [hls::get clock]]} {stub::reject "set_clock_uncertainty: no clock '$clock'"}
    hls::set_state uncertainty $value
}
foreach name {config_compile config_schedule config_dataflow config_array_partition config_rtl config_interface} {
    stub::command $name [string map [list @NAME@ $name] {
        hls::need @NAME@ solution
        if {[hls::get csynth]} {stub::reject "@NAME@ after csynth_design has no effect"}
        foreach {option value} $options {
            if {$option in {-m_axi_latency -m_axi_max_widen_bitwidth -m_axi_alignment_byte_size -name_max_length
                -pipeline_loops -fifo_depth -register_reset_num -complete_threshold}
                && ![string is integer -strict $value]} {
                stub::reject "@NAME@: $option '$value' is not a number"
            }
        }
        if {[stub::given $options -m_axi_alignment_byte_size 1] == 0} {
            stub::reject "config_interface: an alignment of 0 is invalid since 2023.1"
        }
    }]
}
stub::command config_storage {
    hls::need config_storage solution
    if {[lindex $positional 0] ne "fifo"} {stub::reject "config_storage: '[lindex $positional 0]' is no storage type"}
}
stub::command csim_design {
    hls::need csim_design top sources benches solution part
    hls::set_state csim 1
}
stub::command csynth_design {
    hls::need csynth_design top sources solution part clock uncertainty
    hls::set_state csynth 1
    stub::write [file join [hls::get project] [hls::get solution] syn report csynth.xml] <profile/>
}
stub::command cosim_design {
    hls::need cosim_design csynth benches
    hls::set_state cosim 1
}
stub::command export_design {
    hls::need export_design csynth
    set format [stub::given $options -format]
    set wanted [expr {[hls::get target] eq "vitis" ? "xo" : "ip_catalog"}]
    if {$format ne $wanted} {stub::reject "export_design: flow [hls::get target] exports $wanted, not '$format'"}
    if {$format eq "ip_catalog"} {
        foreach option {-vendor -library -ipname -version} {
            if {![dict exists $options $option]} {stub::reject "export_design: $option is missing"}
        }
        set vlnv [dict get $options -vendor]:[dict get $options -library]:[dict get $options -ipname]:[dict get $options -version]
        if {$vlnv ne $::VLNV} {stub::reject "export_design: $vlnv is not $::VLNV, which the Vivado script takes"}
        stub::write [file join [hls::get project] [hls::get solution] impl ip component.xml] <component/>
    } else {
        stub::write [dict get $options -output] xo
    }
    hls::set_state export 1
}

# At its end a script has done every step that was asked for.
stub::define stub::at_end {} {
    foreach step $::STEPS {
        if {![hls::get $step]} {lappend stub::problems "the script ended without $step"}
    }
    if {!$stub::finished} {lappend stub::problems "the script ended without exit: vitis_hls would wait for input"}
}
