"""What was chosen, carried out: number formats, integer weights, and the accuracy that they give."""

from __future__ import annotations

from pathlib import Path

from flow.spec import Build
from flow.tasks.explore import explore_folder
from flow.tasks.files import replaced_folder
from flow.tasks.network import DECOMPOSE_CODE, decompose_folder, rewrite_folder
from flow.tasks.project import Project
from flow.tasks.stage import Stage

SEEDED_FRAMES = 2
"""Frames of noise that fidelity is measured on where there are no images."""
MOST_IMAGES = 10_000
"""Test images that accuracy is measured on, at most."""


def realise_folder(project: Project, build: Build) -> Path:
    return project.spec_dir(build) / "realise"


def realise_stage(project: Project, build: Build) -> Stage:
    """Integer weights in the chosen formats; fidelity to the float network, accuracy where there are labels."""
    source, ranges = rewrite_folder(project, build), decompose_folder(project, build)
    folder, design = realise_folder(project, build), explore_folder(project, build) / "design.json"
    network, precision = build.network, build.precision

    def run() -> str:
        from flow.ir import canonical_json, load_graph
        from flow.numerics import choose_formats, load_ranges, measure, save_realised, unseen_inputs, with_integers

        graph = load_graph(source)
        realised = with_integers(graph, choose_formats(graph, load_ranges(ranges / "ranges.json"), precision.of))
        count = MOST_IMAGES if network.data else SEEDED_FRAMES
        frames, labels = unseen_inputs(network.data, graph.inputs, network.seed, count)
        fidelity = measure(graph, realised, frames, labels)
        with replaced_folder(folder) as scratch:
            save_realised(realised, scratch)
            (scratch / "fidelity.json").write_text(canonical_json(fidelity.as_json()), encoding="utf-8")
        output = f"SQNR {fidelity.sqnr_db[graph.outputs[0]]:.1f} dB on {fidelity.frames} frames"
        if fidelity.accuracy is None or fidelity.float_accuracy is None:
            return output
        floats, integers = fidelity.float_accuracy.value, fidelity.accuracy.value
        return f"{output}, top-1 {100 * integers:.2f} % ({100 * floats:.2f} % in float)"

    data = (network.data.path,) if network.data else ()
    return Stage(
        stage="realise",
        name=build.name,
        run=run,
        inputs=(source / "graph.json", source / "weights.npz", ranges / "ranges.json", design, *data),
        outputs=(folder / "graph.json", folder / "formats.json", folder / "fidelity.json"),
        values={
            "precision": repr(precision),
            "data": repr(network.data and (network.data.file, network.data.scale, network.data.mean, network.data.std)),
            "seed": network.seed,
            "code": project.code(*DECOMPOSE_CODE),
        },
        doc=f"integer weights and accuracy of {build.name}",
        timings=project.spec_dir(build) / "report" / "timings.json",
        folders=(folder,),
    )
