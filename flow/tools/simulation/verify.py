"""The simulate stage: every partition and pass of the schedule, compiled, run and compared with the emulator.

Partitions are independent here: each reads the memory images that the emulator's tensors stand for. A partition's own
output image must equal the next one's input image in every bit that is read, so this is the chain, run in parallel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.generate.files import put
from flow.generate.render import TEMPLATES
from flow.generate.schedule import Step, schedule, tensor_format
from flow.ir import Array, canonical_json
from flow.model.datasheet import Catalogue, load_catalogue
from flow.model.hardware import Hardware, Module, Partition
from flow.model.simulation import Schedules, load_schedules
from flow.numerics import Realised, accuracy, emulate, sqnr_db, top1
from flow.tools.gpp import MODES
from flow.tools.simulation.bench import PartitionRun, Task, invocations, run_partition
from flow.tools.simulation.compare import check_image
from flow.tools.simulation.verification import ModuleCycles, Verification, tensor_check

_JOBS = 2


def simulate(
    out: Path,
    hardware: Hardware,
    realised: Realised,
    frames: Mapping[str, Array],
    *,
    reference: Mapping[str, Array] | None = None,
    labels: Array | None = None,
    modes: Sequence[str] = MODES,
    emulated: Mapping[str, Any] | None = None,
    jobs: int = _JOBS,
) -> Verification:
    """Verify the project that was generated into `out`; writes `report/verification.json` if every bit is equal.

    Args:
        frames: integer frames (N, C, *spatial) by input name (`Realised.quantise_frames`).
        reference: ONNX Runtime's float outputs (N, ...) on the same frames.
        labels: classes of the frames.
        emulated: fidelity over more frames, passed on to the record.

    Raises:
        BuildError: SIM001 values differ, SIM002 padding, SIM004 schedule; TOOL00x from the compiler.
    """
    path = out / "report" / "verification.json"
    path.unlink(missing_ok=True)
    count = len(next(iter(frames.values())))
    plan = schedule(hardware, realised, count)
    _check_schedule(out, hardware, realised)
    task = Task(out, plan, emulate(realised, frames, keep=tuple(b.tensor for b in plan.buffers)))
    runs = _run_all(task, hardware, modes, jobs)
    problems = [problem for run in runs for problem in _check(run, task)]
    if problems:
        raise BuildError(tuple(problems))
    one_frame = replace(task, plan=schedule(hardware, realised, 1))
    for partition in hardware.partitions:
        _leave_test_data(one_frame, partition)
    main = [run for run in runs if run.mode == modes[0]]
    verification = Verification(
        frames=count,
        modes=tuple(modes),
        max_abs_difference=0,
        **_fidelity(task, realised, reference, labels),
        partitions=tuple({"partition": r.partition, "passes": list(r.tiles)} for r in main),
        scheduled=_scheduled(plan.steps),
        tensors=tuple(
            tensor_check(tensor, run.partition, task.tensors[tensor], tensor_format(realised, tensor))
            for run in main
            for tensor in run.images
        ),
        modules=_cycles(hardware, count, main),
        emulated=emulated,
    )
    put(path, canonical_json(verification.as_json()))
    return verification


def _check_schedule(out: Path, hardware: Hardware, realised: Realised) -> None:
    """What is simulated must be what was generated: SIM004 if the schedule in the build folder is another one."""
    try:
        text = (out / "schedule.json").read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(Problem("SIM004", "there is no schedule", "generate first", "schedule.json")) from error
    if text != canonical_json(schedule(hardware, realised).as_json()):
        message = "the schedule is not that of the design to be simulated"
        raise BuildError(Problem("SIM004", message, "generate again", "schedule.json"))


def _run_all(task: Task, hardware: Hardware, modes: Sequence[str], jobs: int) -> tuple[PartitionRun, ...]:
    """Every partition in every mode, `jobs` at a time, in the order of partitions; nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="simulate-", dir=task.out) as folder, ThreadPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(run_partition, task, part, mode, Path(folder) / mode / f"p{part.index}")
            for part in hardware.partitions
            for mode in modes
        ]
        try:
            return tuple(w.result() for w in waiting)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _check(run: PartitionRun, task: Task) -> list[Problem]:
    where = f"partition {run.partition} ({run.mode})"
    return [
        problem
        for tensor, image in run.images.items()
        for problem in check_image(image, task.plan.buffer(tensor).layout, task.tensors[tensor], tensor, where)
    ]


def _fidelity(
    task: Task, realised: Realised, reference: Mapping[str, Array] | None, labels: Array | None
) -> dict[str, Any]:
    """Figures of the first output against the float reference and the labels, as far as these are given."""
    first = realised.graph.outputs[0]
    scores = tensor_format(realised, first).real(task.tensors[first])
    wanted = None if reference is None else np.asarray(reference[first]).reshape(scores.shape)
    return {
        "top1_agreement": None if wanted is None else float(np.mean(top1(scores) == top1(wanted))),
        "sqnr_db": None if wanted is None else sqnr_db(wanted, scores),
        "max_abs_error": None if wanted is None else float(np.max(np.abs(wanted - scores))),
        "accuracy": None if labels is None else accuracy(scores, labels).value,
        "float_accuracy": None if labels is None or wanted is None else accuracy(wanted, labels).value,
    }


def _scheduled(steps: Sequence[Step]) -> tuple[Mapping[str, Any], ...]:
    configured = [s.partition for s in steps if s.action == "configure"]
    passes = {i: [s.tile for s in steps if s.action == "run" and s.partition == i] for i in configured}
    return tuple({"partition": i, "passes": passes[i]} for i in configured)


def _cycles(hardware: Hardware, frames: int, runs: Sequence[PartitionRun]) -> tuple[ModuleCycles, ...]:
    # Intervals do not depend on the multipliers' type.
    catalogue = load_catalogue(TEMPLATES, "DSP48E1")
    return tuple(c for p, run in zip(hardware.partitions, runs, strict=True) for c in _of(p, run, frames, catalogue))


def _of(partition: Partition, run: PartitionRun, frames: int, catalogue: Catalogue) -> list[ModuleCycles]:
    rounds, schedules = frames * len(run.tiles), load_schedules(TEMPLATES)
    return [
        ModuleCycles(
            partition=partition.index,
            module=module.name,
            node=module.node,
            simulated=run.trips[module.name].frame / rounds,
            modelled=_modelled(module, frames, catalogue, schedules),
            loading=run.trips[module.name].load,
        )
        for module in partition.modules
    ]


def _modelled(module: Module, frames: int, catalogue: Catalogue, schedules: Schedules) -> float:
    """Trips of one frame; of a streamed layer the mean, since a short tile takes more for each of its frames."""
    if not module.streamed:
        return module.repeats * int(catalogue.evaluate(module.ip, module.parameters)["interval"])
    rounds = schedules.loops[module.ip].rounds(module.parameters, frames)
    return sum(r.events.trips * r.times for r in rounds) / frames


def _leave_test_data(task: Task, partition: Partition) -> None:
    """One frame for the vendor's simulators in `hls/p<i>/data/`, with the images that must come out."""
    folder = task.out / "hls" / f"p{partition.index}" / "data"
    written = {folder / "invocations.txt"}
    put(folder / "invocations.txt", invocations(task.steps(partition)))
    for port in partition.ports:
        if port.direction in ("weights", "slices"):
            continue
        name = f"{port.name}.bin" if port.direction == "in" else f"expected_{port.name}.bin"
        written.add(folder / name)
        put(folder / name, task.plan.buffer(port.tensor).layout.pack(task.tensors[port.tensor][:1]).tobytes())
    for path in set(folder.iterdir()) - written:
        path.unlink()
