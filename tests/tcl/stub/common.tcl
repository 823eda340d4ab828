# What both stub interpreters share: commands are known, their options are known, and a mistake cannot be hidden.
#
# SYNTAX maps a command to a dict: `flags` (options without value), `values` (options with one; a list of legal values or
# {} for any), `least` and `most` (positional arguments; most = -1: any number).

namespace eval stub {
    variable problems {}
    variable log {}
    variable finished 0
}

# A mistake in the script: an error, and remembered even where the script catches it.
proc stub::reject {message} {
    variable problems
    lappend problems $message
    return -code error -level 2 $message
}

# Options of a command as a dict (flags are 1), positional arguments under {}.
proc stub::parse {command arguments} {
    set syntax [dict get $::SYNTAX $command]
    set flags [dict get $syntax flags]
    set values [dict get $syntax values]
    set options {}
    set positional {}
    for {set i 0} {$i < [llength $arguments]} {incr i} {
        set word [lindex $arguments $i]
        if {![regexp {^-[A-Za-z]} $word]} {
            lappend positional $word
            continue
        }
        set value ""
        # Vitis HLS also takes -option=value.
        set joined [regexp {^(-\w+)=(.*)$} $word all word value]
        if {$word in $flags && (!$joined || $value in {true false 0 1})} {
            dict set options $word [expr {$joined ? $value : 1}]
        } elseif {![dict exists $values $word]} {
            stub::reject "$command: unknown option $word"
        } else {
            if {!$joined} {
                if {[incr i] >= [llength $arguments]} {stub::reject "$command: option $word has no value"}
                set value [lindex $arguments $i]
            }
            set legal [dict get $values $word]
            if {[llength $legal] && $value ni $legal} {stub::reject "$command: $word cannot be '$value'"}
            dict set options $word $value
        }
    }
    set count [llength $positional]
    if {$count < [dict get $syntax least]} {stub::reject "$command: too few arguments: $arguments"}
    set most [dict get $syntax most]
    if {$most >= 0 && $count > $most} {stub::reject "$command: too many arguments: $arguments"}
    foreach option [dict get $syntax required] {
        if {![dict exists $options $option]} {stub::reject "$command: option $option is missing"}
    }
    dict set options {} $positional
    return $options
}

# A command with checked options; its body sees `options` and `positional`.
proc stub::command {name body} {
    if {![dict exists $::SYNTAX $name]} {error "the stub has no syntax of $name"}
    proc ::$name {args} [string map [list @NAME@ $name @BODY@ $body] {
        set options [stub::parse {@NAME@} $args]
        set positional [dict get $options {}]
        lappend stub::log [list {@NAME@} {*}$args]
        @BODY@
    }]
}

proc stub::given {options name {default ""}} {
    return [expr {[dict exists $options $name] ? [dict get $options $name] : $default}]
}

proc ::unknown {args} {
    stub::reject "unknown command: [lindex $args 0]"
}

# A script must not run other programs, nor leave with another status than 0.
rename ::exec {}
rename ::socket {}
rename ::exit stub::leave
proc ::exit {{status 0}} {
    if {$status != 0} {stub::reject "the script leaves with status $status"}
    set stub::finished 1
    return -code return -level [info level]
}

# A script must not define a command that the tool has.
rename ::proc stub::define
stub::define ::proc {name arguments body} {
    if {[namespace qualifiers $name] eq "" && [dict exists $::SYNTAX $name]} {
        stub::reject "the script redefines the tool's command $name"
    }
    uplevel 1 [list stub::define $name $arguments $body]
}

stub::define stub::write {path text} {
    file mkdir [file dirname $path]
    set channel [open $path w]
    puts $channel $text
    close $channel
}

# Run a script to its end. Standard output: what the script prints; then one line a problem; status 1 if any.
stub::define stub::run {script} {
    variable problems
    if {[catch {uplevel #0 [list source -encoding utf-8 $script]} message]} {
        lappend problems "stopped: $message"
    } else {
        stub::at_end
    }
    foreach problem $problems {puts stderr "problem: [string map {\n { }} $problem]"}
    stub::leave [expr {[llength $problems] > 0}]
}
