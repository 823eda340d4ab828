"""Memory images of tensors."""

from __future__ import annotations

import numpy as np
import pytest

from flow.generate.tensors import TensorLayout


@pytest.mark.parametrize("shape, bits, port_bits", [((3, 2, 4), 16, 64), ((9, 5), 8, 128), ((4,), 20, 64)])
def test_unpack_inverts_pack(shape: tuple[int, ...], bits: int, port_bits: int) -> None:
    layout = TensorLayout(shape, 3, bits, port_bits)
    limit = 1 << (bits - 1)
    values = np.random.default_rng(1).integers(-limit, limit, (2, *shape))
    image = layout.pack(values).tobytes()
    assert len(image) == 2 * layout.frame_bytes
    assert np.array_equal(layout.unpack(image), values)
    assert not layout.padding(image).any()


def test_place_of_a_value() -> None:
    """Frame 1, pixel (1, 0), channel 5 of 6: second word of its pixel, lane 1."""
    layout = TensorLayout((6, 2, 2), 3, 12, 64)
    values = np.zeros((2, 6, 2, 2), np.int64)
    values[1, 5, 1, 0] = -2
    image = layout.pack(values).tobytes()
    at = ((1 * 4 + 2) * 3 + 1) * 8 + 2
    assert image[at : at + 2] == b"\xfe\xff"
    assert image.count(b"\x00") == len(image) - 2


def test_padding_is_seen() -> None:
    layout = TensorLayout((3, 2), 2, 16, 64)
    image = layout.pack(np.zeros((1, 3, 2), np.int64))
    image[0, 1, 3] = 7
    assert layout.padding(image.tobytes()).any()
    image[0, 1, 3], image[0, 1, 4] = 0, 7  # a word that no reader fetches
    assert not layout.padding(image.tobytes()).any()
