"""Weights reloading: the filters of a partition's last weighted layer are processed in passes.

Opens one gene per ungrouped convolution and inner product: the number of passes, up to one filter each. Each pass loads
its own weights and reads the partition's inputs again from memory; its channels are written beside the others'.
"""

from __future__ import annotations

from collections.abc import Sequence

from flow.explore.transform import Gene, transform
from flow.ir import Shape
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm


@transform(applies_to=(Conv, Gemm))
def weights_reloading(op: Conv | Gemm, inputs: Sequence[Shape], *, most: int = 4096) -> Gene | None:
    """`most` limits the number of passes."""
    if isinstance(op, Conv) and op.groups != 1:
        return None
    filters = op.output_shape(inputs)[0]
    return Gene("weights_reloading", tuple(range(1, min(filters, most) + 1)))
