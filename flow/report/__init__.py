"""Numbers to outputs: JSON under stable names, a terminal table, one self-contained HTML page."""

from flow.report.layers import layer_records
from flow.report.page import render_page
from flow.report.records import ReportInputs, read_inputs
from flow.report.terminal import terminal_table
from flow.report.write import write_report

__all__ = ["ReportInputs", "layer_records", "read_inputs", "render_page", "terminal_table", "write_report"]
