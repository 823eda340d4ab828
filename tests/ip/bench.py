"""Compiles many IP instances into one program, runs them on given words, and returns the words that came out."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from flow.model.datasheet import DataSheet, read_datasheet

TEMPLATES = Path(__file__).parents[2] / "ip_templates"
HERE = Path(__file__).parent
Words = np.ndarray
"""(words, lanes) integers."""


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def slot_bits(bits: int) -> int:
    return 8 if bits <= 8 else 16 if bits <= 16 else 32


@dataclass(frozen=True)
class Frames:
    """What a data stream carries in one invocation."""

    words: Words
    frames: int
    tile: int = 0


@dataclass
class Case:
    """One module: its parameters, and for every invocation what its input arguments get."""

    ip: str
    config: dict[str, int]
    calls: list[dict[str, object]]
    results: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class Argument:
    """kind: in, out (data streams), port_in, port_out (weights streams), memory_in, memory_out, or scalar."""

    name: str
    kind: str
    lanes: int = 0
    bits: int = 0


def arguments(ip: str, c: Mapping[str, int]) -> list[Argument]:
    """Arguments of an IP's function, from the streams of its data sheet."""
    found = []
    for name, end in sheet_text(ip)["arguments"].items():
        kind = end["kind"]
        lanes = int(value(ip, end["lanes"], c)) if "lanes" in end else 0
        bits = int(value(ip, end["bits"], c)) if "bits" in end else 0
        found.append(Argument(name, kind, lanes, bits))
    return found


@cache
def sheet_text(ip: str) -> dict[str, dict[str, dict[str, str]]]:
    import yaml

    return yaml.safe_load((TEMPLATES / ip / "ip.yaml").read_text())


@cache
def sheet(ip: str) -> DataSheet:
    return read_datasheet(ip, (TEMPLATES / ip / "ip.yaml").read_text())


def value(ip: str, formula: str | int, c: Mapping[str, int]) -> float:
    from flow.model.formula import parse

    environment = {**c, "dsp_type": "DSP48E1"}
    for name, derived in sheet(ip).derived:
        environment[name] = derived(environment)
    return parse(formula, frozenset(environment))(environment)


WARNINGS = ("-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-label")
VENDORED = ("-Wno-maybe-uninitialized", "-Wno-uninitialized")
"""The vendored headers read their own unused bits."""

CALL = {
    "in": 'hls::stream<convmake::word<{lanes}, {bits}> > {name}("{name}"); harness::fill<{lanes}, {bits}>({name});',
    "out": 'hls::stream<convmake::word<{lanes}, {bits}> > {name}("{name}");',
    "port_in": 'hls::stream<convmake::port_word<{bits}> > {name}("{name}"); harness::fill_port<{bits}>({name});',
    "port_out": 'hls::stream<convmake::port_word<{bits}> > {name}("{name}");',
    "memory_in": "std::vector<convmake::port_word<{bits}> > {name}(harness::fill_memory<{bits}>());",
    "memory_out": "std::vector<convmake::port_word<{bits}> > {name}(harness::fill_memory<{bits}>());",
    "scalar": "const int {name} = int(harness::take());",
}
AFTER = {
    "in": "harness::give({name}.size()); harness::give_first<{bits}>({name}); harness::give_last({name});",
    "out": "harness::drain<{lanes}, {bits}>({name}); harness::give_first<{bits}>({name}); harness::give_last({name});",
    "port_in": "harness::give({name}.size());",
    "port_out": "harness::drain_port<{bits}>({name});",
    "memory_in": "",
    "memory_out": "harness::drain_memory<{bits}>({name});",
    "scalar": "",
}


def source(cases: Sequence[Case]) -> str:
    """One translation unit: a config and a function a case."""
    ips = sorted({case.ip for case in cases})
    parts = ['#include "harness.hpp"', *(f'#include "{ip}.hpp"' for ip in ips)]
    for k, case in enumerate(cases):
        members = "\n".join(f"    static const int {name} = {v};" for name, v in case.config.items())
        ends = arguments(case.ip, case.config)
        before = "\n".join("    " + CALL[a.kind].format(**vars(a)) for a in ends)
        after = "\n".join("    " + AFTER[a.kind].format(**vars(a)) for a in ends)
        passed = ", ".join(f"{a.name}.data()" if a.kind.startswith("memory") else a.name for a in ends)
        parts.append(
            f"struct m{k}_config {{\n{members}\n}};\n"
            f"static void call_{k}() {{\n    harness::accesses.clear();\n{before}\n"
            f"    {case.ip}<m{k}_config>({passed});\n{after}\n"
            f'    harness::give_trips("m{k}");\n}}'
        )
    calls = "\n".join(f"    call_{k}();" for k, case in enumerate(cases) for _ in case.calls)
    parts.append(
        "int main(int, char **argv) {\n    harness::open(argv[1]);\n" + calls + "\n    harness::close(argv[2]);\n}\n"
    )
    return "\n\n".join(parts)


def stimuli(cases: Sequence[Case]) -> bytes:
    numbers: list[int] = []
    for case in cases:
        ends = arguments(case.ip, case.config)
        for call in case.calls:
            for end in ends:
                if end.kind in ("out", "port_out"):
                    continue
                given = call[end.name]
                if isinstance(given, Frames):
                    numbers += [given.tile, given.frames, len(given.words), *given.words.ravel().tolist()]
                elif end.kind == "scalar":
                    numbers.append(int(given))  # type: ignore[call-overload]
                else:
                    chunks = np.asarray(given, dtype=np.uint64).reshape(-1, end.bits // 64)
                    numbers += [len(chunks), *chunks.astype(np.int64).ravel().tolist()]
    return struct.pack(f"<{len(numbers)}q", *numbers)


def run(cases: Sequence[Case], folder: Path, mode: str, flags: Sequence[str] = ()) -> None:
    """Compile and execute; fills every case's `results`, one a call.

    Args:
        mode: "native" or "ap".
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.cpp").write_text(source(cases))
    (folder / "in.bin").write_bytes(stimuli(cases))
    command = ["g++", "-std=c++14", "-O1", *WARNINGS, *flags, f"-I{HERE}"]
    command += [f"-I{TEMPLATES / ip}" for ip in sorted({"common"} | {case.ip for case in cases})]
    command += ["-DCONVMAKE_NATIVE"] if mode == "native" else ["-isystem", str(TEMPLATES / "ap_types"), *VENDORED]
    done = subprocess.run(
        [*command, "cases.cpp", "-o", "cases"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and not done.stderr, done.stderr[:4000]
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        ["./cases", "in.bin", "out.bin"], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[:4000]
    numbers = iter(np.fromfile(folder / "out.bin", dtype=np.int64).tolist())
    for case in cases:
        case.results = [_result(case, call, numbers) for call in case.calls]
    assert next(numbers, None) is None


def _result(case: Case, call: Mapping[str, object], numbers: Iterator[int]) -> dict[str, object]:
    def words(count: int, lanes: int) -> Words:
        return np.array([next(numbers) for _ in range(count * lanes)], dtype=np.int64).reshape(count, lanes)

    result: dict[str, object] = {}
    for end in arguments(case.ip, case.config):
        if end.kind == "out":
            tile, frames, count = next(numbers), next(numbers), next(numbers)
            result[end.name] = Frames(words(count, end.lanes), frames, tile)
        elif end.kind == "port_out":
            result[end.name] = words(next(numbers), end.bits // 64).astype(np.uint64)
        elif end.kind == "memory_out":
            result[end.name] = words(len(np.asarray(call[end.name])), end.bits // 64).astype(np.uint64)
        elif end.kind in ("in", "port_in"):
            assert next(numbers) == 0, f"{case.ip} left words in '{end.name}': {case.config}"
        if end.kind in ("in", "out"):
            result[f"{end.name} first"], result[f"{end.name} last"] = next(numbers), next(numbers)
    result["trips"], result["loads"] = next(numbers), next(numbers)
    return result


# Layout of data


def to_words(tensor: np.ndarray, lanes: int) -> Words:
    """(N, C, *spatial) to NHWC words of `lanes` channels, zero-padded."""
    frames, channels = tensor.shape[:2]
    pixels = np.moveaxis(tensor, 1, -1).reshape(frames, -1, channels)
    width = ceil_div(channels, lanes) * lanes
    padded = np.zeros((frames, pixels.shape[1], width), dtype=np.int64)
    padded[..., :channels] = pixels
    return padded.reshape(-1, lanes)


def pack_slots(values: np.ndarray, bits: int, port_bits: int) -> np.ndarray:
    """(rows, n) values to (rows * words, port_bits / 64) chunks, each value sign-extended in its slot."""
    slot = slot_bits(bits)
    per_word = port_bits // slot
    rows, count = values.shape
    padded = np.zeros((rows, ceil_div(count, per_word) * per_word), dtype=np.int64)
    padded[:, :count] = values
    raw = (padded & ((1 << slot) - 1)).astype(np.uint64).reshape(-1, port_bits // 64, 64 // slot)
    shifts = (np.arange(64 // slot) * slot).astype(np.uint64)
    return np.bitwise_or.reduce(raw << shifts, axis=2)


def port_words(values: Sequence[int], port_bits: int) -> np.ndarray:
    """One word a value, in its low 64 bits."""
    words = np.zeros((len(values), port_bits // 64), dtype=np.uint64)
    words[:, 0] = np.array([int(v) & (2**64 - 1) for v in values], dtype=np.uint64)
    return words


def blob(rows: np.ndarray, biases: Sequence[int], bits: int, port_bits: int) -> np.ndarray:
    """A layer's part of the weights stream: header, rows of weights, biases."""
    weights, bias = pack_slots(rows, bits, port_bits), port_words(biases, port_bits)
    return np.concatenate([port_words([len(weights) + len(bias)], port_bits), weights, bias])


# Arithmetic, in Python integers


def requantise(acc: np.ndarray, c: Mapping[str, int]) -> np.ndarray:
    """Contract: one rounding (half up), saturation, activation."""
    high, low = 2 ** (c["out_bits"] - 1) - 1, -(2 ** (c["out_bits"] - 1))

    def one(value: int) -> int:
        shift = c["shift"]
        if c["activation"] == 3:
            value *= c["alpha"] if value < 0 else 2**15
            shift += 15
        value = round_half_up(value, shift)
        value = min(max(value, low), high)
        if c["activation"] == 1:
            value = max(value, 0)
        if c["activation"] == 2:
            value = min(max(value, c["clip_min"]), c["clip_max"])
        return value

    return np.array([one(int(v)) for v in acc.ravel()], dtype=np.int64).reshape(acc.shape)


def round_half_up(value: int, shift: int) -> int:
    """floor(value * 2**-shift + 1/2), exactly."""
    return value * 2**-shift if shift <= 0 else (2 * value + 2**shift) // 2 ** (shift + 1)
