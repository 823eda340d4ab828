"""The command line of the host program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

import numpy as np

from .device import Board
from .errors import HostError
from .images import read_frames
from .plan import Plan, read_plan
from .runner import Result, Runner
from .scores import activated, labels_of

BUILD = Path(__file__).resolve().parents[2]
"""The build that this program was generated into."""


def main(words: Sequence[str]) -> int:
    """Run images through the build; 1 and one clear message if something is wrong."""
    asked = _parser().parse_args(words)
    try:
        plan = read_plan(asked.build)
        frames = read_frames(plan, asked.images)
        board = open_board(asked.board or plan.board, plan, asked)
        try:
            result = Runner(plan, board, asked.batch, asked.timeout).run(frames)
        finally:
            board.close()
        _tell(plan, result, asked.board or plan.board, asked.out)
    except HostError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(HostError("HOST001", f"{error.strerror or error}: {error.filename or ''}"), file=sys.stderr)
    else:
        return 0
    return 1


def open_board(kind: str, plan: Plan, asked: argparse.Namespace) -> Board:
    """A board by its kind. HOST008 if it is not there, HOST012 for an unknown one."""
    if kind not in BOARDS:
        known = ", ".join(BOARDS)
        hint = "a bare FPGA has no host; --board virtual runs the build without hardware" if kind == "none" else ""
        raise HostError("HOST012", f"no board is called '{kind}', only {known}", hint)
    return BOARDS[kind](plan, asked)


def _linux(plan: Plan, asked: argparse.Namespace) -> Board:
    from .linux import LinuxBoard

    return LinuxBoard(asked.files or plan.folder / "vivado", plan.clock_mhz, asked.pool)


def _pynq(plan: Plan, asked: argparse.Namespace) -> Board:
    from .pynq_board import PynqBoard

    return PynqBoard(asked.files or plan.folder / "vivado")


def _xrt(plan: Plan, asked: argparse.Namespace) -> Board:
    from .xrt_board import XrtBoard

    return XrtBoard(asked.files or plan.folder / "vivado", asked.card)


def _virtual(plan: Plan, asked: argparse.Namespace) -> Board:
    from .virtual import VirtualBoard

    return VirtualBoard(asked.files or plan.folder / "virtual")


BOARDS: Mapping[str, Callable[[Plan, argparse.Namespace], Board]] = {
    "linux": _linux,
    "pynq": _pynq,
    "xrt": _xrt,
    "virtual": _virtual,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Run images through a build on a board.")
    add = parser.add_argument
    add("images", type=Path, help=".npy, or .npz with an array an input; whole numbers are pixels, floats normalised")
    add("--out", type=Path, help=".npz for scores, integers and labels")
    add("--board", help="linux, pynq, xrt or virtual; default: what the build was made for")
    add("--build", type=Path, default=BUILD, help="the build's folder; default: where this program lies")
    add("--files", type=Path, help="folder of bitstreams; default: vivado/ (virtual/ for the virtual board)")
    add("--batch", type=int, default=0, help="frames of a batch; default: the schedule's")
    add("--timeout", type=float, help="seconds that a pass may take; default: ten times what hardware needs")
    add("--pool", default="udmabuf0", help="device of u-dma-buf (linux)")
    add("--card", type=int, default=0, help="number of the card (xrt)")
    return parser


def _tell(plan: Plan, result: Result, board: str, out: Path | None) -> None:
    """Labels a line each where nothing else is asked for; figures to standard error."""
    scores = {name: plan.tensors[name].layout.real(v) for name, v in result.integers.items()}
    first = plan.outputs[0]
    scores[first] = activated(scores[first], plan.scores)
    labels = labels_of(scores[first])
    if out is None:
        print("\n".join(str(label) for label in labels))
    else:
        _write(out, plan, scores, result.integers, labels)
    kind = "emulated, not measured on hardware" if board == "virtual" else "measured"
    rate = f"{len(labels) / result.seconds:.4g} frames/s ({kind})"
    ran = f"{result.configurations} configurations, {result.passes} passes"
    print(f"{plan.network}: {len(labels)} frames, {ran}, {rate}", file=sys.stderr)
    if plan.left:
        outputs = ", ".join(plan.outputs)
        print(f"behind {outputs} the network goes on with {', '.join(plan.left)}: that is left to you", file=sys.stderr)


def _write(out: Path, plan: Plan, scores: Mapping[str, Any], integers: Mapping[str, Any], labels: Any) -> None:
    arrays: dict[str, Any] = {"labels": labels}
    for number, name in enumerate(plan.outputs):
        arrays[f"output_{number}"] = scores[name]
        arrays[f"integers_{number}"] = integers[name]
    beside = out.with_name(f"{out.name}.unfinished")
    try:
        with beside.open("wb") as file:
            np.savez(file, **arrays)
        beside.replace(out)
    finally:
        if beside.exists():
            beside.unlink()
