"""Fine-grained folding: how many multipliers of a K-window dot product work in parallel.

Opens one gene per convolution: `fine` in 1 … Kd*Kh*Kw. A value that does not divide the window leaves the last step
partly idle; only the smallest value of each number of steps is worth building.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flow.explore.transform import Gene, fold_factors, transform
from flow.ir import Shape
from flow.operators.convolution import Conv


@transform(applies_to=Conv)
def fine_folding(conv: Conv, inputs: Sequence[Shape], *, allow_padding: bool = True) -> Gene:
    """`allow_padding=False` keeps to factors that divide the window."""
    return Gene("fine", fold_factors(math.prod(conv.kernel), allow_padding))
