"""What a hand-written design in fpgaConvNet's modules takes of an FPGA.

DSP and BRAM follow from structure; LUT and FF are linear in two counts, with coefficients fitted to the four measured
designs (`calibrate.py` repeats the fit, docs/measured.md gives its leave-one-out error).
"""

from __future__ import annotations

from math import prod

from flow.model.handmade.design import Layer
from flow.model.primitives import bram18, ceil_div, dsp_slices

SCALE_BITS = 32
"""Of the factor that a scale module multiplies with; any width from 19 to 35 bits makes two slices of a 24-bit word."""
POOL_DSP = 1
"""A global average multiplies by the reciprocal of its pixels."""
SHALLOW = 64
"""Words that a FIFO keeps in LUTs."""

LUT_PER_MULTIPLIER = 89.32
LUT_PER_WINDOW_BIT = 1.265
FF_PER_MULTIPLIER = 80.5
FF_PER_WINDOW_BIT = 1.254
"""Fitted by `calibrate.fit`: a multiplier with its share of everything around it, a bit of the window buffers."""


def multipliers(layer: Layer) -> int:
    """Products a cycle."""
    return layer.coarse_in * layer.coarse_out * layer.coarse_group * layer.fine if layer.weighted else 0


def window_bits(layer: Layer) -> int:
    """Bits of a sliding window's own buffers: Kh x (Kw - 1) queues of one pixel's words; they are LUT memory."""
    if layer.op != "convolution":
        return 0
    height, width = layer.kernel
    pixel = layer.group_folds * layer.input_folds * layer.lanes_in
    return height * (width - 1) * pixel * layer.bits.get("input", 16)


def dsp(layer: Layer, dsp_type: str) -> int:
    """DSP slices of a layer.

    Multipliers as the file says; a scale module's word times its factor, in every stream; the pooling's reciprocal.
    """
    if layer.weighted and layer.multipliers == "dsp":
        product = dsp_slices(layer.bits.get("input", 16), layer.bits.get("weight", 16), dsp_type)
        return multipliers(layer) * int(product)
    if layer.op == "batch_norm":
        return layer.lanes_in * int(dsp_slices(layer.bits.get("input", 16), SCALE_BITS, dsp_type))
    return layer.lanes_in * POOL_DSP if layer.op == "average_pooling" else 0


def weight_blocks(layer: Layer) -> int:
    """18-Kb blocks of the weights: one memory a dot product, `fine` weights wide, in block RAM whatever its depth."""
    if not layer.weighted:
        return 0
    depth = layer.group_folds * layer.input_folds * layer.output_folds * layer.window_folds
    depth *= layer.pixels_in if layer.op == "inner_product" else 1
    dots = multipliers(layer) // layer.fine
    return dots * int(bram18(depth, layer.fine * layer.bits.get("weight", 16)))


def line_blocks(layer: Layer) -> int:
    """18-Kb blocks of the line buffers: a padded row of words, Kh - 1 rows side by side."""
    rows = layer.kernel[0] - 1
    if layer.op != "convolution" or rows == 0:
        return 0
    depth = layer.padded[1] * layer.group_folds * layer.input_folds
    return int(bram18(depth, rows * layer.lanes_in * layer.bits.get("input", 16)))


def fifo_blocks(layer: Layer) -> int:
    """18-Kb blocks of the FIFOs that a layer reads from."""
    width = layer.lanes_in * layer.bits.get("data", layer.bits.get("input", 16))
    return sum(int(bram18(item.depth, width)) for item in layer.inputs if item.depth > SHALLOW)


def resources(layer: Layer, dsp_type: str) -> dict[str, float]:
    """All resources of a layer with the FIFOs in front of it; LUT and FF as modelled, rounded to whole ones."""
    products, bits = multipliers(layer), window_bits(layer)
    return {
        "dsp": dsp(layer, dsp_type),
        "bram18": weight_blocks(layer) + line_blocks(layer) + fifo_blocks(layer),
        "uram": 0,
        "lut": round(LUT_PER_MULTIPLIER * products + LUT_PER_WINDOW_BIT * bits),
        "ff": round(FF_PER_MULTIPLIER * products + FF_PER_WINDOW_BIT * bits),
    }


def cycles(layer: Layer) -> int:
    """Closed form: the busiest module's cycles of a frame (fpgaConvNet, IEEE TNNLS 2019; model.md section 1)."""
    if layer.op == "convolution":
        words = layer.group_folds * layer.input_folds
        busy = words * layer.output_folds * layer.window_folds
        return max(prod(layer.padded) * words, layer.pixels_out * busy)
    if layer.op == "inner_product":
        return layer.words_in * layer.output_folds
    return max(layer.words_in, layer.pixels_out * int(ceil_div(layer.shape_out[0], layer.lanes_out)))
