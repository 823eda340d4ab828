"""A graph as a spec of its own, taken through a stage; cut where a file or the error says that the host begins."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from flow.benchmarks.doit import Run, doit

CUTS = "tests/data/networks/cuts.yaml"
"""Tensors at which graphs end, by the graph's name."""
_CUT = re.compile(r"`outputs: (\[[^`]*\])`")


def run_stage(
    root: Path, build_dir: Path, stage: str, name: str, network: Mapping[str, str], settings: str
) -> Run:  # fmt: skip
    """`doit <stage>` of a graph.

    Args:
        network: keys of the spec's network, the values as YAML.
        settings: the spec's other keys, a line each.
    """
    known = cuts(root).get(name)
    keys = dict(network) if known is None else {**network, "outputs": json.dumps(known)}
    run = _run(root, build_dir, stage, name, keys, settings)
    cut = _CUT.search(" ".join(run.output.split()))
    if run.status == 0 or not cut:
        return run
    # A Softmax and what is behind it are the host's.
    return _run(root, build_dir, stage, name, {**network, "outputs": cut[1]}, settings)


def cuts(root: Path) -> dict[str, list[str]]:
    import yaml

    found: dict[str, list[str]] = yaml.safe_load((root / CUTS).read_text(encoding="utf-8"))
    return found


def onnx_file(path: Path) -> dict[str, str]:
    """The key of a network that is a file."""
    return {"onnx": _quoted(str(path))}


def spec_path(build_dir: Path, name: str) -> Path:
    return build_dir / "specs" / f"{name}.yaml"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _run(root: Path, build_dir: Path, stage: str, name: str, network: Mapping[str, str], settings: str) -> Run:
    spec = spec_path(build_dir, name)
    spec.parent.mkdir(parents=True, exist_ok=True)
    keys = ", ".join(f"{key}: {value}" for key, value in network.items())
    spec.write_text(f"network: {{{keys}}}\n{settings}", encoding="utf-8")
    return doit(root, build_dir, stage, f"spec={spec}")
