"""Post-training fixed point: calibration, formats, integer networks, their bit-exact run and their fidelity."""

from flow.numerics.fidelity import (
    Accuracy,
    Fidelity,
    Liveness,
    accuracy,
    liveness,
    measure,
    sqnr_db,
    top1,
    wilson,
)
from flow.numerics.formats import Formats, Wordlengths, choose_formats, nominal_formats
from flow.numerics.frames import (
    calibration_frames,
    calibration_inputs,
    check_data,
    seeded_frames,
    unseen_frames,
    unseen_inputs,
)
from flow.numerics.ranges import Ranges, load_ranges, save_ranges, tensor_ranges
from flow.numerics.realise import Realised, emulate, load_realised, quantise, save_realised, with_integers
from flow.numerics.walk import evaluate

__all__ = [
    "Accuracy",
    "Fidelity",
    "Formats",
    "Liveness",
    "Ranges",
    "Realised",
    "Wordlengths",
    "accuracy",
    "calibration_frames",
    "calibration_inputs",
    "check_data",
    "choose_formats",
    "emulate",
    "evaluate",
    "liveness",
    "load_ranges",
    "load_realised",
    "measure",
    "nominal_formats",
    "quantise",
    "save_ranges",
    "save_realised",
    "seeded_frames",
    "sqnr_db",
    "tensor_ranges",
    "top1",
    "unseen_frames",
    "unseen_inputs",
    "wilson",
    "with_integers",
]
