"""What a network computes behind its last layer, and what is read off it."""

from __future__ import annotations

from typing import Any, Callable, Mapping

import numpy as np

from .errors import HostError


def _softmax(scores: Any) -> Any:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _sigmoid(scores: Any) -> Any:
    return 1 / (1 + np.exp(-scores))


ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "": lambda scores: scores,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
}


def activated(scores: Any, activation: str) -> Any:
    """Scores (N, C, *spatial) behind the activation, over channels; in float32. HOST012 if it is not known."""
    if activation not in ACTIVATIONS:
        raise HostError("HOST012", f"the network ends with '{activation}', which the host does not compute")
    return ACTIVATIONS[activation](np.asarray(scores, np.float64)).astype(np.float32)


def labels_of(scores: Any) -> Any:
    """The largest value's place in each frame."""
    return np.argmax(scores.reshape(len(scores), -1), axis=1)
