"""Weights placement: the memory on the chip that a layer's weights lie in.

Opens one gene per layer with weights: `auto` (LUTRAM where the memory is shallow, block RAM otherwise), `lutram` or
`uram`. Weights are loaded in front of the first frame wherever they lie, so UltraRAM, which has no initial contents, is
like any other. A device without a memory leaves no room in it, and exploration drops what does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from flow.explore.transform import Gene, transform
from flow.ir import Shape
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm


@transform(applies_to=(Conv, Gemm))
def weights_placement(op: Conv | Gemm, inputs: Sequence[Shape], *, uram: bool = True, lutram: bool = False) -> Gene:
    """`uram`, `lutram`: whether that memory may be chosen beside what the depth suggests."""
    choices = {"auto": True, "uram": uram, "lutram": lutram}
    return Gene("weights_placement", tuple(name for name, open_ in choices.items() if open_))
