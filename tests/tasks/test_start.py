"""A build with nothing to do starts in well under a second: what only stages need is not imported before one runs."""

import subprocess
import sys
from pathlib import Path

HEAVY = {"numpy", "onnx", "onnxruntime", "onnxslim", "scipy", "deap", "jinja2", "rich"}


def test_loading_the_tasks_imports_nothing_heavy() -> None:
    program = "import sys; from flow.tasks.table import load; import pathlib\n" + (
        "load(pathlib.Path.cwd(), ['doit', 'list', 'spec=lenet5_zedboard'])\nprint(*sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run((sys.executable, "-c", program), cwd=root, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
