# Stand-ins for the vendor's tools in tests of the flow: they log how they are called, and run a script far enough to leave
# the files that the flow reads. Lenient on purpose: tests/tcl checks the scripts.
#
# CONVMAKE_FAKE_LOG      file to which each call appends a line: tool, arguments, in, last two folders of the path
# CONVMAKE_FAKE_VERSION  version to play, default 2024.1: it decides how Vitis HLS is called, which columns a report has, and
#                        where Vivado leaves its hardware description
# CONVMAKE_FAKE_FAIL     a command that fails, e.g. csynth_design
# CONVMAKE_FAKE_SLACK    worst setup slack in ns, default 0.312

namespace eval fake {
    variable top ""
    variable solution ""
    variable part ""
    variable reports [file join [file dirname [file normalize [info script]]] reports]
}

proc fake::setting {name default} {
    return [expr {[info exists ::env(CONVMAKE_FAKE_$name)] ? $::env(CONVMAKE_FAKE_$name) : $default}]
}

proc fake::main {tool arguments} {
    set version [fake::setting VERSION 2024.1]
    if {[lindex $arguments 0] in {-version --version}} {
        puts "$tool v$version (64-bit)"
        exit 0
    }
    set refusal [fake::refused $tool $version $arguments]
    if {$refusal ne ""} {
        puts "ERROR: \[Fake 1-2\] $refusal"
        exit 1
    }
    set log [fake::setting LOG ""]
    if {$log ne ""} {
        set channel [open $log a]
        puts $channel "$tool [join $arguments { }] in [file join {*}[lrange [file split [pwd]] end-1 end]]"
        close $channel
    }
    puts "****** $tool v$version"
    if {$tool eq "v++"} {
        fake::write [fake::option $arguments -o] "binary of [file tail [lindex $arguments end]]\n"
        exit [expr {[file exists [lindex $arguments end]] ? 0 : 1}]
    }
    set script [lindex $arguments end]
    if {[catch {uplevel #0 [list source $script]} message]} {
        puts "ERROR: \[Fake 1-1\] $message"
        exit 1
    }
    exit 0
}

# Why this version does not take such a call; "" if it does.
proc fake::refused {tool version arguments} {
    if {$tool eq "vitis_hls" && $version >= 2024.2} {return "vitis_hls is gone: call vitis-run --mode hls --tcl"}
    if {$tool eq "vitis_hls" && [lindex $arguments 0] ne "-f"} {return "vitis_hls does not take $arguments"}
    if {$tool eq "vitis-run" && $version < 2023.2} {return "vitis-run $version does not take --tcl"}
    if {$tool eq "vitis-run" && [lrange $arguments 0 2] ne {--mode hls --tcl}} {return "vitis-run does not take $arguments"}
    return ""
}

proc fake::write {path text} {
    file mkdir [file dirname $path]
    set channel [open $path w]
    puts -nonewline $channel $text
    close $channel
}

# A report from the folder reports/, with @NAME@ replaced.
proc fake::report {name path} {
    set channel [open [file join $fake::reports $name]]
    set text [string map [list @TOP@ $fake::top @SLACK@ [fake::setting SLACK 0.312]] [read $channel]]
    close $channel
    if {$name eq "csynth.xml" && [fake::setting VERSION 2024.1] < 2020.2} {
        set text [string map {<DSP> <DSP48E> </DSP> </DSP48E>} $text]
    }
    if {$name eq "utilization.rpt" && [fake::setting VERSION 2024.1] < 2021.1} {
        set text [fake::without_column $text Prohibited]
    }
    fake::write $path $text
}

# A table without one of its columns.
proc fake::without_column {text title} {
    set at -1
    set lines {}
    foreach line [split $text \n] {
        set cells [split $line |]
        if {[string index $line 0] eq "|" && [lsearch -glob $cells "*$title*"] >= 0} {set at [lsearch -glob $cells "*$title*"]}
        if {[string index $line 0] ne "|"} {set at [expr {[string index $line 0] eq "+" ? $at : -1}]}
        if {[string index $line 0] eq "|" && $at >= 0} {set line [join [lreplace $cells $at $at] |]}
        lappend lines $line
    }
    return [join $lines \n]
}

proc fake::option {arguments name {default ""}} {
    set at [lsearch -exact $arguments $name]
    return [expr {$at < 0 ? $default : [lindex $arguments [expr {$at + 1}]]}]
}

# Every other command does nothing, and what it returns has every property.
proc unknown {command args} {
    if {$command eq [fake::setting FAIL ""]} {error "$command fails as the test wants"}
    if {[info commands fake::do_$command] ne ""} {return [fake::do_$command {*}$args]}
    return $command
}

# Vitis HLS
proc fake::do_set_top {name} {set fake::top $name}
proc fake::do_open_solution {args} {set fake::solution [file join project [lindex $args end]]}
proc fake::do_csynth_design {args} {
    fake::report csynth.xml [file join $fake::solution syn report csynth.xml]
}
proc fake::do_export_design {args} {
    if {[fake::option $args -format] eq "xo"} {
        fake::write [fake::option $args -output] "kernel\n"
    } else {
        fake::write [file join $fake::solution impl ip component.xml] "<component/>\n"
    }
}

# Vivado
proc fake::do_create_project {args} {
    set fake::part [fake::option $args -part]
    set fake::top $::top
    fake::write project/project.xpr "project\n"
}
proc fake::do_get_property {name object} {
    switch [string toupper $name] {
        PROGRESS {return 100%}
        DIRECTORY {return project/project.runs/impl_1}
        PART {return $fake::part}
        SLACK {return [fake::setting SLACK 0.312]}
    }
    return ""
}
proc fake::do_launch_runs {name args} {
    if {$name eq "impl_1"} {
        fake::write project/project.runs/impl_1/design_wrapper.bit "bits\n"
        set base project/project.[expr {[fake::setting VERSION 2024.1] < 2020.2 ? "srcs" : "gen"}]
        fake::write $base/sources_1/bd/design/hw_handoff/design.hwh "<EDKSYSTEM/>\n"
    }
}
proc fake::do_report_utilization {args} {fake::report utilization.rpt [fake::option $args -file]}
proc fake::do_report_timing_summary {args} {fake::report timing_summary.rpt [fake::option $args -file]}
proc fake::do_report_power {args} {fake::write [fake::option $args -file] "power\n"}
proc fake::do_write_hw_platform {args} {fake::write [lindex $args end] "platform\n"}
proc fake::do_write_checkpoint {args} {fake::write [lindex $args end] "checkpoint\n"}
