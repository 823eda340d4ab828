"""Large networks as declared layers, for measurements: ResNet-152 and DenseNet-161, each as the text of a network part.

Shapes after He et al., CVPR 2016 (table 1), and Huang et al., CVPR 2017 (table 1, growth 48).
"""

from __future__ import annotations

_RESNET = """input: [3, 224, 224]
weights: {seed: 0}
blocks:
  same:
    parameters: [width, filters]
    layers:
      - conv: {filters: $width, kernel: 1, activation: relu}
      - conv: {filters: $width, kernel: 3, pad: 1, activation: relu}
      - conv: {filters: $filters, kernel: 1}
      - add: {with: input, activation: relu}
  first:
    parameters: [width, filters, stride]
    layers:
      - conv: {filters: $width, kernel: 1, activation: relu}
      - conv: {filters: $width, kernel: 3, stride: $stride, pad: 1, activation: relu}
      - conv: {filters: $filters, kernel: 1, name: main}
      - conv: {filters: $filters, kernel: 1, stride: $stride, from: input, name: shortcut}
      - add: {from: main, with: shortcut, activation: relu}
layers:
  - conv: {filters: 64, kernel: 7, stride: 2, pad: 3, activation: relu}
  - maxpool: {kernel: 3, stride: 2, pad: 1}
"""
_RESNET_END = "  - global_avgpool\n  - fc: {units: 1000}\n"
RESNET152 = (3, 8, 36, 3)
"""Blocks of the four stages."""


def resnet(stages: tuple[int, ...]) -> str:
    """A bottleneck ResNet with so many blocks in its stages."""
    text = _RESNET
    for index, blocks in enumerate(stages):
        width = 64 << index
        text += f"  - first: {{width: {width}, filters: {4 * width}, stride: {2 if index else 1}}}\n"
        text += f"  - same: {{width: {width}, filters: {4 * width}, times: {blocks - 1}}}\n"
    return text + _RESNET_END


_DENSE = """input: [3, 224, 224]
weights: {seed: 0}
blocks:
  dense:
    layers:
      - conv: {filters: 192, kernel: 1, activation: relu}
      - conv: {filters: 48, kernel: 3, pad: 1, activation: relu, name: new}
      - concat: {from: input, with: new}
layers:
  - conv: {filters: 96, kernel: 7, stride: 2, pad: 3, activation: relu}
  - maxpool: {kernel: 3, stride: 2, pad: 1}
"""
DENSENET161 = (6, 12, 36, 24)
"""Layers of the four dense blocks."""


def densenet(stages: tuple[int, ...]) -> str:
    """A DenseNet with growth 48 and so many layers in its blocks."""
    text, channels = _DENSE, 96
    for index, layers in enumerate(stages):
        text += f"  - dense: {{times: {layers}}}\n"
        channels += 48 * layers
        if index < len(stages) - 1:
            channels //= 2
            text += f"  - conv: {{filters: {channels}, kernel: 1, activation: relu}}\n"
            text += "  - avgpool: {kernel: 2, stride: 2}\n"
    return text + _RESNET_END
