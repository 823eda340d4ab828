"""The host program on the virtual board: images in, labels out, every bit as the emulator has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from flow.diagnostics import BuildError, Problem
from flow.spec import Build
from flow.tasks.files import write_atomically
from flow.tasks.generate import lowered, manifest_path
from flow.tasks.project import Project
from flow.tasks.realise import realise_folder
from flow.tasks.simulate import SIMULATE_CODE
from flow.tasks.stage import Stage, counted

MOST_FRAMES = 100_000


def with_frames(build: Build, words: Mapping[str, str]) -> Build:
    """The build with as many frames as `frames=` asks for, else as the spec simulates. CLI015 if that is no number."""
    text = words.get("frames")
    if text is None:
        return build
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MOST_FRAMES:
        message = f"'frames={text[:40]}' is not a number of frames"
        raise BuildError(Problem("CLI015", message, f"write frames=1 to frames={MOST_FRAMES}"))
    return replace(build, simulate=replace(build.simulate, frames=int(text)))


def board_stage(project: Project, build: Build) -> Stage:
    """Partitions compiled as devices, the schedule run by the generated host program."""
    out, network, settings = project.spec_dir(build), build.network, build.simulate
    result = out / "report" / "board.json"

    def run() -> str:
        from flow.ir import canonical_json
        from flow.numerics import unseen_inputs
        from flow.tools.virtual import run_board

        result.unlink(missing_ok=True)
        _, realised = lowered(project, build)
        data = network.data if settings.images == "data" else None
        frames, labels = unseen_inputs(data, realised.graph.inputs, network.seed, settings.frames)
        found, seconds = run_board(out, realised, frames)
        result.parent.mkdir(parents=True, exist_ok=True)
        right = None if labels is None else sum(a == b for a, b in zip(found.labels, labels.tolist(), strict=True))
        write_atomically(result, canonical_json(found.as_json() | {"correct_labels": right}))
        rate = f"{found.frames / seconds:.3g} frames/s of the emulation, which say nothing of hardware"
        shown = "" if right is None else f", {right} labels right"
        parts = counted(found.partitions, "partition")
        ran = f"{counted(found.frames, 'frame')} through {parts} in {counted(found.passes, 'pass', 'passes')}"
        return f"{ran}, equal to the emulator in every bit{shown}; {rate}"

    data = (network.data.path,) if network.data else ()
    realised_in = realise_folder(project, build)
    return Stage(
        stage="board",
        name=build.name,
        run=run,
        inputs=(manifest_path(project, build), realised_in / "graph.json", realised_in / "formats.json", *data),
        outputs=(result,),
        values={
            "frames": settings.frames,
            "images": settings.images,
            "code": project.code(*SIMULATE_CODE),
        },
        doc=f"host program of {build.name} on the virtual board",
        timings=out / "report" / "timings.json",
        folders=(out / "virtual",),
    )
