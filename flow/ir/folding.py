"""How far a layer's hardware is unrolled: the factors of coarse- and fine-grained folding."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Folding:
    """Parallel input channels, output channels and groups, and multipliers inside one window (fpgaConvNet, TNNLS 2019).

    A module with one lane count (pooling, addition, ...) has `coarse_in == coarse_out`.
    """

    coarse_in: int = 1
    coarse_out: int = 1
    coarse_group: int = 1
    fine: int = 1

    @property
    def lanes_in(self) -> int:
        """Values per word of the input stream."""
        return self.coarse_in * self.coarse_group

    @property
    def lanes_out(self) -> int:
        """Values per word of the output stream."""
        return self.coarse_out * self.coarse_group

    def as_json(self) -> dict[str, int]:
        return asdict(self)
