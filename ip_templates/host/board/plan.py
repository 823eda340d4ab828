"""What the build says: `schedule.json` (buffers and steps) and `host/host.json` (partitions, inputs, outputs)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from .device import PartitionFiles
from .errors import HostError
from .layout import TensorLayout


@dataclass(frozen=True)
class Tensor:
    """A tensor in memory; `role` is input | output | intermediate, `in_place_of` the tensor whose room it takes."""

    name: str
    role: str
    layout: TensorLayout
    in_place_of: str


@dataclass(frozen=True)
class Load:
    """Weights of a pass: bytes `offset` to `offset + size` of the partition's file; `words` are port words."""

    offset: int
    size: int
    words: int


@dataclass(frozen=True)
class Step:
    """`configure` a partition, or `run` a pass of it with these tensors and files of streamed weights at its ports."""

    action: str
    partition: int
    tile: int
    ports: Mapping[str, str]
    slices: Mapping[str, str]
    load: Load


@dataclass(frozen=True)
class Weights:
    """A file of weights; `longest` bytes are its largest load, for streamed weights all of it."""

    file: str
    size: int
    crc32: int
    longest: int


@dataclass(frozen=True)
class Partition:
    """A partition for the host.

    Attributes:
        kinds: of each argument: pointer | frames | tile | words.
        ports: memory port behind each argument.
        slices: files of streamed weights by port; the device reads them while it runs.
        frame_s, load_s: generous times of hardware for a frame and for a load of weights.
    """

    files: PartitionFiles
    kinds: Mapping[str, str]
    ports: Mapping[str, str]
    weights: Weights
    slices: Mapping[str, Weights]
    frame_s: float
    load_s: float


@dataclass(frozen=True)
class Pixels:
    """How an input's raw pixels become what the network was trained on: (pixel * scale - mean) / std per channel."""

    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """A build.

    Attributes:
        folder: the build's folder; board: kind of its host; clock_mhz: of the fabric.
        steps: of the first batch, `further` those of every later one.
        pixels: by input; `outputs` in the network's order.
        scores: activation that the network ends with and the host computes, "" for none.
        left: kinds of operators behind the outputs that are left to the user.
        most_frames: that a stream's header can count, of a batch.
    """

    folder: Path
    network: str
    board: str
    clock_mhz: float
    batch: int
    tensors: Mapping[str, Tensor]
    steps: tuple[Step, ...]
    further: tuple[Step, ...]
    partitions: tuple[Partition, ...]
    pixels: Mapping[str, Pixels]
    outputs: tuple[str, ...]
    scores: str
    left: tuple[str, ...]
    most_frames: int

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.tensors.values() if t.role == "input")


def read_plan(folder: Path) -> Plan:
    """A build's plan. HOST001 if a file is missing or is not what it should be."""
    schedule, host = _json(folder / "schedule.json"), _json(folder / "host" / "host.json")
    try:
        tensors = {b["tensor"]: _tensor(b) for b in schedule["buffers"]}
        word = next(iter(tensors.values())).layout.port_bits // 8
        plan = Plan(
            folder=folder,
            network=schedule["network"],
            board=host["board"],
            clock_mhz=float(host["clock_mhz"]),
            batch=int(schedule["batch"]),
            tensors=tensors,
            steps=tuple(_step(s, word) for s in schedule["steps"]),
            further=tuple(_step(s, word) for s in schedule["steady_state"]),
            partitions=tuple(_partition(p) for p in host["partitions"]),
            pixels={i["tensor"]: Pixels(i["scale"], tuple(i["mean"]), tuple(i["std"])) for i in host["inputs"]},
            outputs=tuple(host["outputs"]),
            scores=host["scores"],
            left=tuple(host["left"]),
            most_frames=int(host["most_frames"]),
        )
        _check(plan)
        return plan
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        message = f"schedule.json and host.json in {folder} do not describe a build: {error!r}"
        raise HostError("HOST001", message, "generate the build again") from error


def _check(plan: Plan) -> None:
    """ValueError where the two files do not fit each other."""
    for step in (*plan.steps, *plan.further):
        if step.action not in ("configure", "run") or not 0 <= step.partition < len(plan.partitions):
            raise ValueError(f"step '{step.action}' of partition {step.partition}")
        partition = plan.partitions[step.partition]
        if not set(step.ports) <= set(partition.ports.values()) or not set(step.ports.values()) <= set(plan.tensors):
            raise ValueError(f"ports of partition {step.partition}")
        if step.action == "run" and dict(step.slices) != {port: w.file for port, w in partition.slices.items()}:
            raise ValueError(f"streamed weights of partition {step.partition}")
    if not plan.steps or not plan.further or not set(plan.outputs) <= set(plan.tensors):
        raise ValueError("no steps, or outputs that are not in memory")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "copy schedule.json, host/, weights/ and vivado/ of the build to the board"
        raise HostError("HOST001", f"cannot read {path}: {error.strerror}", hint) from error
    except ValueError as error:
        raise HostError("HOST001", f"{path} is not JSON: {error}") from error


def _tensor(b: Mapping[str, Any]) -> Tensor:
    layout = TensorLayout(
        tuple(b["shape"]), b["pixel_stride"], b["frame_bytes"], b["bits"], b["exponent"], b["port_bits"]
    )
    return Tensor(b["tensor"], b["role"], layout, b["in_place_of"])


def _step(s: Mapping[str, Any], word: int) -> Step:
    blob = s.get("weights") or {"offset_words": 0, "words": 0}
    load = Load(blob["offset_words"] * word, blob["words"] * word, blob["words"])
    return Step(s["action"], s["partition"], s.get("tile", 0), s.get("ports", {}), s.get("slices", {}), load)


def _partition(p: Mapping[str, Any]) -> Partition:
    arguments = p["arguments"]
    names = tuple(a["name"] for a in arguments)
    pointers = tuple(a["name"] for a in arguments if a["kind"] == "pointer")
    w = p["weights"] or {"file": "", "bytes": 0, "crc32": 0, "longest_bytes": 0}
    slices = {port: Weights(s["file"], s["bytes"], s["crc32"], s["bytes"]) for port, s in p["slices"].items()}
    return Partition(
        files=PartitionFiles(p["name"], p["folder"], names, pointers, p["identity"]),
        kinds={a["name"]: a["kind"] for a in arguments},
        ports={a["name"]: a["port"] for a in arguments},
        weights=Weights(w["file"], w["bytes"], w["crc32"], w["longest_bytes"]),
        slices=slices,
        frame_s=float(p["frame_s"]),
        load_s=float(p["load_s"]),
    )
