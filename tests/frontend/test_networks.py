"""Real exporters' graphs: they pass with the right number of operations, or stop with the complete list."""

from collections import Counter
from pathlib import Path

import onnx
import pytest

from flow.diagnostics import BuildError
from flow.frontend import import_onnx
from flow.ir import Graph, Recipe
from flow.rewrite import RewriteRule, RuleFolder, check_entries, load_pipeline, load_rules, run_rules, without_hardware

ROOT = Path(__file__).parents[2]
LIGHT = ROOT / "tests" / "data" / "networks"
ZOO = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
GMACS = {
    "alexnet": 0.714,
    "vgg16": 15.470,
    "googlenet": 1.498,
    "resnet18": 1.814,
    "resnet50": 4.089,
    "densenet121": 2.834,
    "mobilenet_v2": 0.301,
    "squeezenet1_1": 0.349,
    "c3d": 38.547,
    "efficientnet_b0": 0.386,
    "r2plus1d_18": 40.519,
    "unet_bilinear": 129.951,
}
ZOO_UNSUPPORTED = {
    "bvlc_alexnet": {"Softmax": 1},
    "inception_v1": {"Softmax": 1},
    "inception_v2": {"Softmax": 1},
    "resnet50": {"Softmax": 1},
    "shufflenet": {"Softmax": 1},
    "squeezenet": {"Softmax": 1},
    "vgg19": {"Softmax": 1},
    "zfnet512": {"Softmax": 1},
}
CUTS = {
    "bvlc_alexnet": "r24",
    "inception_v1": "r143",
    "inception_v2": "r507",
    "resnet50": "r174",
    "shufflenet": "r201",
    "squeezenet": "r65",
    "vgg19": "r46",
    "zfnet512": "r20",
}


def rewritten(graph: Graph) -> Graph:
    rules = load_rules([RuleFolder(ROOT / "rules" / "rewrite", "rules/rewrite")], RewriteRule)
    pipeline = load_pipeline(ROOT / "rules" / "pipelines" / "default.yaml", "default.yaml")
    return run_rules(graph, check_entries(pipeline.rewrite, rules)).graph


@pytest.mark.parametrize("name", sorted(GMACS))
def test_light_graphs_pass(name: str) -> None:
    graph = import_onnx(LIGHT / f"light_{name}.onnx")
    assert round(graph.macs() / 1e9, 3) == GMACS[name]
    large = [w for w in graph.weights.values() if len(w.shape) > 1 and w.shape[0] * w.shape[1] > 1024]
    assert large and all(isinstance(w, Recipe) for w in large), "large constants are never expanded"
    assert all(node.origin.startswith(f"light_{name}.onnx#") for node in graph.nodes)
    assert without_hardware(rewritten(graph)) == ()


def missing(path: Path) -> tuple[str, Counter[str]]:
    with pytest.raises(BuildError) as caught:
        import_onnx(path)
    (problem,) = caught.value.problems
    assert problem.code == "ONNX010" and "Conv" in problem.hint
    return problem.hint, Counter(p.message.partition(": ")[0] for p in problem.related)


@pytest.mark.parametrize("name", sorted(ZOO_UNSUPPORTED))
def test_zoo_graphs_stop_with_the_complete_list(name: str) -> None:
    hint, found = missing(ZOO / f"light_{name}.onnx")
    assert found == ZOO_UNSUPPORTED[name]
    assert f"outputs: ['{CUTS[name]}']" in hint


@pytest.mark.parametrize("name", sorted(CUTS))
def test_zoo_graphs_pass_when_cut_as_the_hint_says(name: str) -> None:
    graph = import_onnx(ZOO / f"light_{name}.onnx", outputs=[CUTS[name]])
    assert without_hardware(rewritten(graph)) == ()


def test_zoo_densenet_has_its_scales_and_biases_merged() -> None:
    graph = import_onnx(ZOO / "light_densenet121.onnx")
    assert round(graph.macs() / 1e9, 3) == 2.834
    kinds = Counter(node.op.name for node in rewritten(graph).nodes)
    assert set(kinds) == {"conv", "pool", "concat", "global_pool"}
    assert kinds["conv"] == 121 + 62, "what stands in front of a convolution is one depthwise module each"
