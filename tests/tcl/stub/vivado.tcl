# Stub of Vivado: project, catalogue, block design, runs and reports, as strictly as the rules below.
# Set before: SYNTAX, VLNV and BUNDLES of the exported IP, PARTS, BOARDS (board part → part).

namespace eval vivado {
    variable project {}         ;# properties of the project; empty: none is open
    variable catalogue_fresh 0  ;# update_ip_catalog came after ip_repo_paths
    variable files {}           ;# file → fileset
    variable fileset_top ""
    variable runs {}            ;# run → state (new, launched, done), step, options
    variable open_run ""
    variable outputs {}
}

stub::define vivado::need_project {command} {
    variable project
    if {![dict size $project]} {stub::reject "$command: no project is open"}
}

stub::command get_parts {
    set part [lindex $positional 0]
    return [expr {$part in $::PARTS ? $part : ""}]
}
stub::command get_board_parts {
    set board [lindex $positional 0]
    return [expr {[dict exists $::BOARDS $board] ? $board : ""}]
}
stub::command create_project {
    set part [stub::given $options -part]
    if {$part ni $::PARTS} {stub::reject "create_project: no part '$part'"}
    if {![dict exists $options -force]} {stub::reject "create_project without -force fails on a second run"}
    lassign $positional name folder
    set vivado::project [dict create NAME $name PART $part BOARD_PART "" DIRECTORY [file normalize $folder] IP_REPO_PATHS ""]
    set vivado::runs {synth_1 {state new step "" options ""} impl_1 {state new step "" options ""}}
    file mkdir $folder
}
stub::command current_project {
    vivado::need_project current_project
    return @project
}
stub::command current_fileset {
    vivado::need_project current_fileset
    return @fileset
}
stub::command current_design {
    vivado::need_project current_design
    return @design
}
stub::command update_ip_catalog {
    vivado::need_project update_ip_catalog
    foreach folder [dict get $vivado::project IP_REPO_PATHS] {
        if {[file isdirectory $folder]} {set vivado::catalogue_fresh 1}
    }
}
stub::command get_ipdefs {
    vivado::need_project get_ipdefs
    set wanted [lindex $positional 0]
    if {$wanted eq $::VLNV} {return [expr {$vivado::catalogue_fresh ? $wanted : ""}]}
    return ""
}
stub::command send_msg_id {
    if {[lindex $positional 1] ni {STATUS INFO WARNING {CRITICAL WARNING} ERROR}} {
        stub::reject "send_msg_id: '[lindex $positional 1]' is no severity"
    }
    puts "[lindex $positional 1]: [lindex $positional 2]"
    if {[lindex $positional 1] eq "ERROR"} {error [lindex $positional 2]}
}

# Objects: @project, @fileset, @run:NAME, @file:PATH, @path:kind (timing), /cell, /cell/pin, /port.

stub::command get_property {
    lassign $positional name object
    return [vivado::property_of [string toupper $name] $object]
}
stub::define vivado::property_of {name object} {
    variable project
    variable runs
    if {$object eq "@project"} {
        if {![dict exists $project $name]} {stub::reject "get_property: a project has no $name"}
        return [dict get $project $name]
    }
    if {[regexp {^@run:(.*)$} $object all run]} {
        set state [dict get $runs $run state]
        switch $name {
            PROGRESS {return [expr {$state eq "done" ? "100%" : "0%"}]}
            STATUS {return $state}
            DIRECTORY {return [file join [dict get $project DIRECTORY] [dict get $project NAME].runs $run]}
        }
        stub::reject "get_property: a run has no $name"
    }
    if {[string match @path:* $object]} {
        if {$name ne "SLACK"} {stub::reject "get_property: a timing path has no $name"}
        return $::SLACK
    }
    if {[regexp {^CONFIG\.(.*)$} $name all parameter] && [design::has_cell $object]} {
        return [design::parameter $object $parameter]
    }
    stub::reject "get_property: no property $name of '$object'"
}

stub::command set_property {
    if {[dict exists $options -name]} {
        vivado::set_one [dict get $options -name] [dict get $options -value] [dict get $options -objects]
    } elseif {[dict exists $options -dict]} {
        set pairs [dict get $options -dict]
        if {[llength $pairs] % 2} {stub::reject "set_property -dict: a name without value"}
        if {[llength $positional] != 1} {stub::reject "set_property -dict: one object"}
        foreach {name value} $pairs {vivado::set_one $name $value [lindex $positional 0]}
    } else {
        if {[llength $positional] != 3} {stub::reject "set_property: name, value, object"}
        vivado::set_one {*}$positional
    }
}
stub::define vivado::set_one {name value object} {
    variable project
    variable catalogue_fresh
    variable files
    variable fileset_top
    variable runs
    set upper [string toupper $name]
    if {$object eq "@project" && $upper eq "BOARD_PART"} {
        if {![dict exists $::BOARDS $value]} {stub::reject "set_property: no board part '$value'"}
        dict set project BOARD_PART $value
        dict set project PART [dict get $::BOARDS $value]
    } elseif {$object eq "@project" && $upper eq "IP_REPO_PATHS"} {
        foreach folder $value {if {![file isdirectory $folder]} {stub::reject "ip_repo_paths: no folder '$folder'"}}
        dict set project IP_REPO_PATHS $value
        set catalogue_fresh 0
    } elseif {$object eq "@fileset" && $upper eq "TOP"} {
        if {$value ni [lmap f [dict keys $files] {file rootname [file tail $f]}]} {
            stub::reject "set_property top: no source has a module '$value'"
        }
        set fileset_top $value
    } elseif {$object eq "@design"} {
        if {$upper ne "BITSTREAM.CONFIG.USERID"} {stub::reject "set_property: a design has no $name"}
        if {![regexp {^0x[0-9A-Fa-f]{1,8}$} $value]} {stub::reject "set_property: $name cannot be '$value'"}
    } elseif {[regexp {^@run:(.*)$} $object all run]} {
        if {![regexp {^(STRATEGY|FLOW|STEPS\.\w+\.(ARGS\.[\w ]+|TCL\.PRE|TCL\.POST|IS_ENABLED))$} $upper]} {
            stub::reject "set_property: a run has no $name"
        }
        dict set runs $run options $upper $value
    } elseif {[regexp {^CONFIG\.(.*)$} $upper all parameter]} {
        design::configure $object $parameter $value
    } else {
        stub::reject "set_property: no property $name of '$object'"
    }
}

stub::command get_files {
    set found [lsearch -all -inline -glob [dict keys $vivado::files] */[lindex $positional 0]]
    return [lmap f $found {string cat @file: $f}]
}
stub::command add_files {
    vivado::need_project add_files
    set fileset [stub::given $options -fileset sources_1]
    if {$fileset ni {sources_1 constrs_1 sim_1}} {stub::reject "add_files: no fileset '$fileset'"}
    foreach name [lindex $positional 0] {
        if {![file exists $name]} {stub::reject "add_files: no file '$name'"}
        if {[string match *.xdc $name]} {
            if {$fileset ne "constrs_1"} {stub::reject "add_files: constraints belong to constrs_1"}
            uplevel #0 [list source $name]
        }
        dict set vivado::files [file normalize $name] $fileset
    }
}
stub::command create_clock {
    if {![string is double -strict [dict get $options -period]]} {stub::reject "create_clock: period"}
    if {![llength $positional]} {stub::reject "create_clock: no port"}
}
stub::command get_ports {
    set name [lindex $positional 0]
    if {![dict exists $design::ports /$name]} {stub::reject "get_ports: no port '$name'"}
    return /$name
}
stub::command update_compile_order {vivado::need_project update_compile_order}
stub::command generate_target {
    if {[lindex $positional 0] ne "all" || ![string match @file:*design.bd [lindex $positional 1]]} {
        stub::reject "generate_target: [lindex $positional 1]"
    }
    if {!$design::saved} {stub::reject "generate_target: the block design is not validated and saved"}
    set design::generated 1
    set base [file join [dict get $vivado::project DIRECTORY] [dict get $vivado::project NAME].$::GENERATED]
    stub::write [file join $base sources_1 bd design hw_handoff design.hwh] <EDKSYSTEM/>
}
stub::command make_wrapper {
    if {![dict exists $options -top]} {stub::reject "make_wrapper without -top"}
    if {!$design::generated || ![string match @file:*design.bd [lindex $positional 0]]} {
        stub::reject "make_wrapper: no generated block design"
    }
    set wrapper [file join [dict get $vivado::project DIRECTORY] hdl design_wrapper.v]
    stub::write $wrapper "module design_wrapper; endmodule"
    return $wrapper
}

stub::command get_runs {
    set name [lindex $positional 0]
    if {![dict exists $vivado::runs $name]} {stub::reject "get_runs: no run '$name'"}
    return @run:$name
}
stub::command launch_runs {
    set name [lindex $positional 0]
    if {![dict exists $vivado::runs $name]} {stub::reject "launch_runs: no run '$name'"}
    if {$vivado::fileset_top eq ""} {stub::reject "launch_runs: no top module"}
    if {![string is integer -strict [stub::given $options -jobs 1]]} {stub::reject "launch_runs: -jobs"}
    if {$name eq "impl_1" && [dict get $vivado::runs synth_1 state] ne "done"} {
        stub::reject "launch_runs: implementation before synthesis is done"
    }
    set step [stub::given $options -to_step]
    set steps {"" opt_design place_design phys_opt_design route_design write_bitstream}
    if {$step ni $steps} {stub::reject "launch_runs: '$step' is not a step"}
    dict set vivado::runs $name state launched
    dict set vivado::runs $name step $step
}
stub::command wait_on_run {
    set name [lindex $positional 0]
    if {[dict get $vivado::runs $name state] ne "launched"} {stub::reject "wait_on_run: $name was not launched"}
    dict set vivado::runs $name state [expr {$::FAILING eq $name ? "failed" : "done"}]
    set base [vivado::property_of DIRECTORY @run:$name]
    if {[dict get $vivado::runs $name step] eq "write_bitstream"} {
        if {[dict size $design::io_missing]} {stub::reject "write_bitstream: [dict keys $design::io_missing] have no pins"}
        stub::write [file join $base design_wrapper.bit] bits
    }
}
stub::command open_run {
    if {[dict get $vivado::runs [lindex $positional 0] state] ne "done"} {stub::reject "open_run: not finished"}
    set vivado::open_run [lindex $positional 0]
}
foreach name {report_utilization report_timing_summary report_power} {
    stub::command $name [string map [list @NAME@ $name] {
        if {$vivado::open_run ne "impl_1"} {stub::reject "@NAME@: no implemented design is open"}
        if {[dict exists $options -file]} {
            if {![file isdirectory [file dirname [dict get $options -file]]]} {stub::reject "@NAME@: no folder"}
            stub::write [dict get $options -file] @NAME@
            lappend vivado::outputs @NAME@
        }
    }]
}
stub::command get_timing_paths {
    if {$vivado::open_run ne "impl_1"} {stub::reject "get_timing_paths: no implemented design is open"}
    return @path:[expr {[dict exists $options -hold] ? "hold" : "setup"}]
}
stub::command write_hw_platform {
    if {![dict exists $options -fixed] || ![dict exists $options -include_bit]} {stub::reject "write_hw_platform: options"}
    if {[dict get $vivado::runs impl_1 step] ne "write_bitstream"} {stub::reject "write_hw_platform: no bitstream"}
    stub::write [lindex $positional 0] xsa
}
stub::command write_checkpoint {
    if {$vivado::open_run ne "impl_1"} {stub::reject "write_checkpoint: no implemented design is open"}
    stub::write [lindex $positional 0] dcp
}

# At its end a script has left reports, and a bitstream with its descriptions or a checkpoint.
stub::define stub::at_end {} {
    set system [design::has_processing_system]
    set wanted [list reports/utilization.rpt reports/timing_summary.rpt]
    foreach extension [expr {$system ? {.bit .hwh .xsa} : {.dcp}}] {lappend wanted $::TOP$extension}
    foreach file $wanted {
        if {![file exists $file]} {lappend stub::problems "the script ended without $file"}
    }
    if {!$system && "-mode out_of_context" ni [dict values [dict get $vivado::runs synth_1 options]]} {
        lappend stub::problems "a bare partition must be synthesised out of context"
    }
}
