"""The four designs that were measured on boards."""

from functools import cache
from pathlib import Path

from flow.model.handmade.design import HandDesign
from flow.model.handmade.evaluate import Evaluation, evaluate
from flow.model.handmade.read import read_design
from flow.spec import read_devices

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "measured"
NAMES = ("zc706_ic", "zc706_vww", "zedboard_ic", "zedboard_kws")


@cache
def design(name: str) -> HandDesign:
    return read_design(FOLDER / f"{name}.yaml", f"{name}.yaml")


@cache
def evaluation(name: str) -> Evaluation:
    return evaluate(design(name), read_devices(ROOT))
