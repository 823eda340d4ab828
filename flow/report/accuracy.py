"""How far a resource can be believed: exact by construction, or modelled with a stated error."""

from __future__ import annotations

from flow.report.records import Document
from flow.report.text import count, shown

ESTIMATES = "ip_templates/calibration.yaml"


def accuracy(p: Document, name: str) -> str:
    """`exact`, or an error such as `±40 %`; empty where the model states none."""
    error = p.get("resource_errors", {}).get(name)
    if error is None:
        return ""
    return f"±{100 * error:.0f} %" if error >= 0.005 else "exact" if error == 0 else "±1 %"


def tiles(p: Document, name: str) -> str:
    """Block RAMs of 18 Kb as the 36-Kb tiles that people count; empty for other resources."""
    used = p["resources"][name]
    return f"{count(-(-used // 2))} of 36 Kb" if name == "bram18" and used else ""


def coefficients(p: Document) -> str:
    """Which coefficients LUTs and FFs are counted with."""
    calibration = p.get("calibration")
    if not calibration:
        return ""
    factors = calibration["factors"]
    times = "".join(f", {name.upper()} × {f:g}" for name, f in sorted(factors.items(), reverse=True) if f != 1)
    if calibration["file"] == ESTIMATES:
        return f"LUT {accuracy(p, 'lut')} and FF {accuracy(p, 'ff')} are estimates until `doit calibrate`{times}"
    file, digest = shown(calibration["file"]), calibration["digest"][:12]
    return f"LUT {accuracy(p, 'lut')} and FF {accuracy(p, 'ff')} as calibrated by {file} ({digest}){times}"
