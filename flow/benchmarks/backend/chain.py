"""One case through import, rules, emulator and compiled hardware."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flow.benchmarks.backend.cases import Case
from flow.diagnostics import BuildError, Problem
from flow.ir import Array, Folding, Graph, Node

if TYPE_CHECKING:
    from onnx import ModelProto

    from flow.numerics import Realised
    from flow.rewrite import RewriteRule, Step

BITS = 16
LEAST_DB, LEAST_TABLED_DB = 55.0, 35.0
"""What 16 bits give at least, without and with activations by table."""
MULTIPLIERS = 6
"""A layer gets the legal folding with the most multipliers (or lanes) up to this number."""
CLOCK_MHZ, PORT_BITS = 100.0, 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case.

    Attributes:
        refused: code and words of the problem with which it was refused; "" if it was not.
        wrong: what is not as it must be; "" if nothing.
        sqnr_db: of the emulator's outputs against the package's, the worst one.
        hardware: equal | unmapped | "" (not asked for).
        reason: why it is not mapped.
    """

    case: Case
    refused: str = ""
    wrong: str = ""
    sqnr_db: float | None = None
    hardware: str = ""
    reason: str = ""

    @property
    def passed(self) -> bool:
        return not self.refused and not self.wrong


@dataclass(frozen=True, slots=True)
class Imported:
    """A case as a network: rewritten graph, frames by input, expected outputs by their names in the graph."""

    graph: Graph
    frames: Mapping[str, Array]
    wanted: Mapping[str, Array]


def outcome(case: Case, steps: Sequence[Step[RewriteRule]], folder: Path, hardware: bool = False) -> Outcome:
    """The whole chain; `hardware` compiles what maps, in `folder`."""
    try:
        network = imported(case, steps, folder)
        realised, sqnr, wrong = emulated(network)
    except BuildError as error:
        return Outcome(case, refused=_words(error.problems))
    except Mismatch as mismatch:
        return Outcome(case, wrong=str(mismatch))
    found = Outcome(case, wrong=wrong, sqnr_db=sqnr)
    return _simulated(found, realised, network.frames, folder) if hardware and found.passed else found


class Mismatch(Exception):
    """The imported network does not compute in floating point what the case expects."""


def imported(case: Case, steps: Sequence[Step[RewriteRule]], folder: Path) -> Imported:
    """The case's network, its floats checked against the expected outputs. BuildError where it is refused."""
    from flow.frontend import import_onnx
    from flow.rewrite import run_rules, without_hardware

    refusal = BuildError(Problem("ONNX009", "an input is not a dense tensor"))
    for model, frames in _variants(case):
        path = folder / "case.onnx"
        path.write_bytes(model.SerializeToString())
        try:
            graph = import_onnx(path, name="case")
        except BuildError as error:
            refusal = error
            continue
        given = _laid_out(case, graph, frames)
        rewritten = run_rules(graph, steps).graph
        missing = without_hardware(rewritten)
        if missing:
            raise BuildError(missing)
        return Imported(rewritten, given, _check_floats(case, rewritten, given))
    raise refusal


def _variants(case: Case) -> Iterator[tuple[ModelProto, dict[str, Array]]]:
    """The model with as many of its inputs as can be the network's own, then with the first alone.

    Cases pass weights as inputs; a network stores them.
    """
    stored = {tensor.name for tensor in case.model.graph.initializer}
    own = [value.name for value in case.model.graph.input if value.name not in stored]
    arrays = {name: value for name, value in zip(own, case.inputs, strict=False) if value is not None}
    if len(arrays) < len(own):
        return
    floats = [n for n in own if arrays[n].dtype.kind == "f" and arrays[n].ndim > 1]
    several = floats if len({len(arrays[n]) for n in floats}) == 1 else []
    for inputs in dict.fromkeys((tuple(several), tuple(own[:1]))):
        if inputs:
            yield _stored(case, arrays, inputs), {n: _single(arrays[n]) for n in inputs}


def _single(values: Array) -> Array:
    """As float32; doubles beyond its range become infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _stored(case: Case, arrays: Mapping[str, Array], inputs: Sequence[str]) -> ModelProto:
    """The model with all inputs but these stored in it."""
    from onnx import ModelProto, numpy_helper

    model = ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    present = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name in inputs]
    for value in graph.input:
        if value.name not in inputs and value.name not in present:
            graph.initializer.append(numpy_helper.from_array(arrays[value.name], value.name))
    del graph.input[:]
    graph.input.extend(kept)
    return model


def _laid_out(case: Case, graph: Graph, frames: Mapping[str, Array]) -> dict[str, Array]:
    """Frames as the graph takes them. Mismatch if it does not compute the expected outputs from them.

    A network that reads channels last takes its frames channels first; where sizes do not tell, both are tried.
    """
    first = {name: frames[name] for name, _ in graph.inputs}
    last = {name: np.moveaxis(frames[name], -1, 1) for name, _ in graph.inputs}
    fitting = [g for g in (first, last) if all(g[name].shape[1:] == shape for name, shape in graph.inputs)]
    for given in fitting[:-1]:
        with suppress(Mismatch):
            _check_floats(case, graph, given)
            return given
    if not fitting:
        raise Mismatch("no order of the axes fits the network's inputs")
    _check_floats(case, graph, fitting[-1])
    return fitting[-1]


def _check_floats(case: Case, graph: Graph, frames: Mapping[str, Array]) -> dict[str, Array]:
    """Expected outputs by their names in the graph, channels first. Mismatch if floats do not give them."""
    from flow.frontend import reference_outputs
    from flow.operators.transpose import CHANNELS_FIRST

    found, wanted = reference_outputs(graph, frames), {}
    for name, values in zip(graph.outputs, case.outputs, strict=False):
        if values is None:
            raise Mismatch("an expected output is not a dense tensor")
        moved = np.moveaxis(values, -1, 1) if name.endswith(CHANNELS_FIRST) else values
        if moved.size != found[name].size:
            raise Mismatch(f"output of shape {found[name].shape} instead of {moved.shape}")
        wanted[name] = _single(moved.reshape(found[name].shape))
        if not np.allclose(found[name], wanted[name], case.rtol, case.atol):
            largest = float(np.max(np.abs(found[name] - wanted[name])))
            raise Mismatch(f"floats are off by up to {largest:.3g}")
    return wanted


def emulated(network: Imported) -> tuple[Realised, float, str]:
    """The network in integers, the worst SQNR of an output, and what is wrong with it."""
    from flow.numerics import emulate, quantise, sqnr_db

    realised = quantise(network.graph, lambda _name, _op: (BITS, BITS), network.frames)
    integers = emulate(realised, realised.quantise_frames(network.frames))
    tabled = any(node.op.approximation() for node in network.graph.nodes)
    least = LEAST_TABLED_DB if tabled else LEAST_DB
    formats = realised.formats.tensors
    worst = min(sqnr_db(values, formats[name].real(integers[name])) for name, values in network.wanted.items())
    return realised, worst, "" if worst >= least else f"{worst:.1f} dB, below {least:.0f}"


def _simulated(found: Outcome, realised: Realised, frames: Mapping[str, Array], folder: Path) -> Outcome:
    from flow.generate import Target, generate
    from flow.model.hardware import Design, PartitionDesign
    from flow.model.lowering import LoweringError, lower
    from flow.tools.simulation import simulate

    graph = realised.graph
    foldings = {node.name: folding_of(graph, node) for node in graph.nodes}
    part = PartitionDesign(tuple(foldings), foldings)
    design = Design("case", "none", CLOCK_MHZ, 1, (part,))
    with tempfile.TemporaryDirectory(dir=folder) as out:
        try:
            lowered = lower(graph, design, realised.numbers, PORT_BITS)
            generate(lowered, realised, Target("none", CLOCK_MHZ), Path(out))
            simulate(Path(out), lowered, realised, realised.quantise_frames(frames), modes=("native",), jobs=1)
        except LoweringError as error:
            return replace(found, hardware="unmapped", reason=str(error))
        except BuildError as error:
            return replace(found, hardware="wrong", wrong=_words(error.problems))
    return replace(found, hardware="equal")


def folding_of(graph: Graph, node: Node) -> Folding:
    """The legal folding with the most multipliers up to `MULTIPLIERS`; of equal ones the most even."""
    shapes = graph.input_shapes(node)
    most, weighted = node.op.parallelism(shapes), bool(node.op.parameters(shapes))
    lanes = range(1, min(most.coarse_in, MULTIPLIERS) + 1)
    outs = range(1, min(most.coarse_out, MULTIPLIERS) + 1)
    groups = range(1, min(most.coarse_group, MULTIPLIERS) + 1)
    found = [
        Folding(i, o if weighted else i, g, k)
        for i in lanes
        for o in (outs if weighted else (0,))
        for g in groups
        for k in range(1, min(most.fine, MULTIPLIERS) + 1)
    ]
    legal = [f for f in found if node.op.legal_folding(f, shapes)] or [Folding(1, 1)]
    return min(legal, key=_unlike)


def _unlike(folding: Folding) -> tuple[int, int]:
    factors = folding.coarse_in, folding.coarse_out, folding.coarse_group, folding.fine
    product = int(np.prod(factors))
    return (abs(product - MULTIPLIERS) if product <= MULTIPLIERS else product * MULTIPLIERS, max(factors))


def _words(problems: Sequence[Problem]) -> str:
    """Code and message of the first problem, and what it lists."""
    first = problems[0]
    related = "; ".join(dict.fromkeys(p.message for p in first.related))
    return f"{first.code}: {related or first.message}"
