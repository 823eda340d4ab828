"""The host program of a build: the shipped program as it is, and `host.json` with all that it needs to know.

Nothing is generated but data, so the program that is tested is the program that runs on a board.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from flow.diagnostics import BuildError, Problem
from flow.generate.blobs import plan, streamed
from flow.generate.contexts import PartitionContext, PortContext
from flow.generate.render import TEMPLATES
from flow.generate.schedule import most_frames, slices_file, weights_file
from flow.ir import canonical_json
from flow.model.datasheet import Catalogue, load_catalogue
from flow.model.hardware import Hardware, Partition
from flow.model.memory import frame_words, streamed_words
from flow.model.performance import module_figures
from flow.spec import ONE_BITSTREAM, Data

PROGRAM = TEMPLATES / "host"
BOARDS = ("linux", "pynq", "xrt", "none")
"""What a device file may name as its host; `none` has none, and its build runs on the virtual board only."""


@dataclass(frozen=True, slots=True)
class HostSide:
    """What the host does besides running the schedule.

    Attributes:
        board: one of `BOARDS`.
        data: how pixels of the first input are normalised; None takes them as they are.
        scores: activation behind the first output that the network file ends with, "" for none.
        left: kinds of operators behind the outputs that the host does not compute.
    """

    board: str = "linux"
    data: Data | None = None
    scores: str = ""
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WeightsSum:
    """Size and CRC-32 of a weights file, by which the host knows that it is the partition's."""

    size: int
    crc32: int


class Summed:
    """A file that knows the size and CRC-32 of what was written into it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = self._crc32 = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data).cast("B")
        self._size, self._crc32 = self._size + view.nbytes, zlib.crc32(view, self._crc32)
        return self._file.write(data)

    @property
    def sum(self) -> WeightsSum:
        return WeightsSum(self._size, self._crc32)


def check_host(board: str, partitions: int) -> None:
    """GEN013 where nothing could load a second bitstream, or the card's memory would not survive it.

    The search makes no such design, since a spec of such a device is refused (SPEC043); one that was given may be.
    """
    if board in ONE_BITSTREAM and partitions > 1:
        message = f"{partitions} partitions, but a device with `host: {board}` {ONE_BITSTREAM[board]}"
        raise BuildError(Problem("GEN013", message, "constraints: {max_partitions: 1}, or a device with another host"))


def identity(sources: Mapping[str, str], part: str, clock_mhz: float) -> str:
    """Eight hexadecimal digits of what a bitstream is made from, which tell partitions and builds apart."""
    whole = hashlib.sha256(f"{part} {clock_mhz!r}".encode())
    for name, text in sorted(sources.items()):
        whole.update(f"\0{name}\0{text}".encode())
    return whole.hexdigest()[:8]


def host_files(
    hardware: Hardware,
    contexts: Sequence[PartitionContext],
    host: HostSide,
    identities: Sequence[str],
    weights: Mapping[str, WeightsSum],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> dict[str, str]:
    """Everything below `host/`: path to text. `weights`: by file, relative to the build folder."""
    catalogue = load_catalogue(TEMPLATES, "DSP48E1")  # intervals do not depend on the multipliers' type
    clock = hardware.design.clock_mhz
    resident = len(hardware.partitions) == 1
    document = {
        "board": host.board,
        "clock_mhz": clock,
        "inputs": [_input(name, host.data if name == inputs[0] else None) for name in inputs],
        "outputs": list(outputs),
        "scores": host.scores,
        "left": list(host.left),
        "most_frames": most_frames(hardware),
        "partitions": [
            _partition(part, context, digits, weights, resident, catalogue, clock)
            for part, context, digits in zip(hardware.partitions, contexts, identities, strict=True)
        ],
    }
    program = {p.relative_to(PROGRAM).as_posix(): p for p in PROGRAM.rglob("*.py")}
    texts = {name: path.read_text(encoding="utf-8") for name, path in sorted(program.items())}
    return texts | {"host.json": canonical_json(document)}


def _input(name: str, data: Data | None) -> dict[str, Any]:
    if data is None:
        return {"tensor": name, "scale": 1.0, "mean": [], "std": []}
    return {"tensor": name, "scale": data.scale, "mean": list(data.mean), "std": list(data.std)}


def _partition(
    part: Partition,
    context: PartitionContext,
    digits: str,
    weights: Mapping[str, WeightsSum],
    resident: bool,
    catalogue: Catalogue,
    clock_mhz: float,
) -> dict[str, Any]:
    """Times are generous, for time-outs: the slowest module's interval, and all port words one after the other.

    A last tile that is not full takes all of its streamed weights, which a frame's share does not have.
    """
    longest = max((b.words for b in plan(part, resident)), default=0)
    cycles = max(module_figures(m, catalogue).interval for m in part.modules) + frame_words(part)
    loaded = longest + sum(words for words, _ in streamed_words(part))
    file = weights_file(part.index)
    chain = _file(file, weights[file]) | {"longest_bytes": longest * context.port_bits // 8} if longest else None
    return {
        "name": context.name,
        "folder": f"p{part.index}",
        "identity": digits,
        "arguments": [argument for port in context.ports for argument in _arguments(port)],
        "weights": chain,
        "slices": {port: _file(name, weights[name]) for port, name in _slices(part).items()},
        "frame_s": float(f"{cycles / (clock_mhz * 1e6):.6g}"),
        "load_s": float(f"{loaded / (clock_mhz * 1e6):.6g}"),
    }


def _slices(part: Partition) -> dict[str, str]:
    """Files of streamed weights by port."""
    return {port: slices_file(part.index, port) for port in streamed(part)}


def _file(name: str, found: WeightsSum) -> dict[str, Any]:
    return {"file": name, "bytes": found.size, "crc32": found.crc32}


def _arguments(port: PortContext) -> list[dict[str, str]]:
    """A pointer, and the scalars behind it, in the order of the top function."""
    kinds = [s.removeprefix(f"{port.name}_") for s in port.scalars]
    scalars = [{"name": s, "kind": k, "port": port.name} for s, k in zip(port.scalars, kinds, strict=True)]
    return [{"name": port.name, "kind": "pointer", "port": port.name}, *scalars]
