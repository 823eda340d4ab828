"""The machinery of rules: text form, patterns, loading, pipelines, driver."""

from pathlib import Path

import pytest

from flow.diagnostics import BuildError, Problem
from flow.frontend import import_onnx
from flow.ir import Graph, Node
from flow.rewrite import (
    RewriteRule,
    RuleError,
    RuleFolder,
    Step,
    TextError,
    check_entries,
    format_graph,
    load_pipeline,
    load_rules,
    parse_graph,
    rewrite,
    run_rules,
    without_hardware,
)
from flow.rewrite.match import matches, parse_pattern

ROOT = Path(__file__).parents[2]
CHAIN = """
x = Input() shape=3x8x8
c = conv(x) filters=4 kernel=3x3 strides=2x2
r = activation(c) activation=relu
p = pool(r) kind=max kernel=2x2
s = add(r, r)
outputs: p s
"""


def shipped() -> dict[str, RewriteRule]:
    return load_rules([RuleFolder(ROOT / "rules" / "rewrite", "rules/rewrite")], RewriteRule)


def raised(function: object, *arguments: object) -> tuple[Problem, ...]:
    with pytest.raises(BuildError) as caught:
        function(*arguments)  # type: ignore[operator]
    return caught.value.problems


def test_text_round_trips() -> None:
    usual, cut = CHAIN.replace("outputs: p s\n", ""), CHAIN.replace("outputs: p s", "outputs: c p")
    for text in (usual, cut):
        assert format_graph(parse_graph(text)).split() == text.split()
    for name in ("lenet5", "resnet8"):
        network = import_onnx(ROOT / "specs" / "networks" / f"{name}.onnx")
        again = parse_graph(format_graph(network))
        assert [(n.name, n.op, n.inputs, n.shape) for n in again.nodes] == [
            (n.name, n.op, n.inputs, n.shape) for n in network.nodes
        ]


@pytest.mark.parametrize(
    "line",
    ["c conv(x)", "c = cov(x) filters=4", "c = conv(y) filters=4", "c = conv(x) filter=4", "c = conv(x) filters=4"],
)
def test_text_that_is_no_graph(line: str) -> None:
    with pytest.raises(TextError, match=r"c"):
        parse_graph(f"x = Input() shape=3x8x8\n{line}")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("conv > activation", [("c", "r")]),
        ("conv | pool > activation(activation=relu)", [("c", "r")]),
        ("conv > activation(activation=clip)", []),
        ("activation > pool", []),  # the activation has other readers
        ("pool", [("p",)]),
        ("*", [("c",), ("r",), ("p",), ("s",)]),
        ("* > *", [("c", "r")]),
    ],
)
def test_patterns(pattern: str, found: list[tuple[str, ...]]) -> None:
    graph = parse_graph(CHAIN)
    assert [tuple(n.name for n in nodes) for nodes in matches(graph, parse_pattern(pattern))] == found


def test_outputs_of_the_network_are_no_inner_links() -> None:
    graph = parse_graph(CHAIN.replace("outputs: p s", "outputs: c p s"))
    assert list(matches(graph, parse_pattern("conv > activation"))) == []


RULE = '''"""A rule."""
from flow.ir import Graph, Node
from flow.rewrite import RuleError, rewrite

@rewrite(match="{match}"{more})
def {function}(graph: Graph, {arguments}) -> Graph | None:
    {body}
'''


def write(folder: Path, name: str, **given: str) -> Path:
    values = {"function": name, "match": "pool", "more": "", "arguments": "node: Node", "body": "return None"} | given
    (folder / f"{name}.py").write_text(RULE.format(**values), encoding="utf-8")
    return folder / f"{name}.py"


def load(folder: Path) -> dict[str, RewriteRule]:
    return load_rules([RuleFolder(folder, "mine")], RewriteRule)


def test_a_folder_of_ones_own_works_like_the_shipped_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        "pool_out",
        body="return graph.spliced_out(node.name) if size == 3 else None",
        arguments="node: Node, *, size: int = 2",
    )
    folders = [RuleFolder(ROOT / "rules" / "rewrite", "rules/rewrite"), RuleFolder(tmp_path, "mine")]
    rules = load_rules(folders, RewriteRule)
    (tmp_path / "p.yaml").write_text("rewrite: [fuse_relu, {rule: pool_out, options: {size: 3}}]", encoding="utf-8")
    steps = check_entries(load_pipeline(tmp_path / "p.yaml", "p.yaml").rewrite, rules)
    result = run_rules(parse_graph(CHAIN), steps)
    assert [n.name for n in result.graph.nodes] == ["r", "s"] and result.graph.outputs == ("r", "s")
    assert result.log() == ("1 fuse_relu: 1 place\n    c, r  [text#c, text#r]\n2 pool_out: 1 place\n    p  [text#p]\n")


def test_a_rule_that_matched_nothing_is_in_the_log() -> None:
    result = run_rules(parse_graph(CHAIN), [Step(shipped()["fill_dilation"], {})])
    assert result.log() == "1 fill_dilation: matched nothing\n"


@pytest.mark.parametrize(
    ("given", "code", "line", "word"),
    [
        ({"body": "return 1 +"}, "RULE002", 7, "not Python"),
        ({"more": ", mach=1"}, "RULE002", 5, "mach"),
        ({"match": "pol"}, "RULE013", 5, "pol"),
        ({"match": "conv >"}, "RULE013", 5, "not an operator"),
        ({"match": "conv > pool"}, "RULE003", 5, "called with 3"),
        ({"arguments": "node: Node, *, size: Node = 3"}, "RULE003", 5, "size"),
        ({"function": "other"}, "RULE003", 1, "'other'"),
        ({"body": "return None\nraise ValueError('odd')"}, "RULE002", 8, "odd"),
        ({"body": "return None\nraise SystemExit(0)"}, "RULE002", 8, "SystemExit"),
    ],
)
def test_broken_rule_files(tmp_path: Path, given: dict[str, str], code: str, line: int, word: str) -> None:
    write(tmp_path, "mine", **given)
    (problem,) = raised(load, tmp_path)
    assert (problem.code, problem.file, problem.line) == (code, "mine/mine.py", line)
    assert word in problem.message


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    write(tmp_path, "fuse_relu")
    folders = [RuleFolder(ROOT / "rules" / "rewrite", "rules/rewrite"), RuleFolder(tmp_path, "mine")]
    (problem,) = raised(load_rules, folders, RewriteRule)
    assert problem.code == "RULE004" and problem.related[0].file == "rules/rewrite/fuse_relu.py"


@pytest.mark.parametrize(
    ("text", "codes", "hint"),
    [
        ("rewrite: [fuse_rely]", ["RULE001"], "did you mean 'fuse_relu'?"),
        ("rewrite: [fuse_relu, fuse_relu]", ["RULE015"], ""),
        ("rewrite: [fuse_relu, fold_batchnorm]", ["RULE007"], "change their order"),
        ("rewrite: [{rule: fuse_relu, options: {level: 1}}]", ["RULE005"], "it has no options"),
        ("rewrite: [fuse_rely, fuse_clp]", ["RULE001", "RULE001"], "did you mean 'fuse_relu'?"),
    ],
)
def test_broken_pipelines(tmp_path: Path, text: str, codes: list[str], hint: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    found = raised(lambda: check_entries(load_pipeline(path, "p.yaml").rewrite, shipped()))
    assert [p.code for p in found] == codes and found[0].hint == hint
    assert found[0].file == "p.yaml" and found[0].line == 1 and found[0].column > 1


@pytest.mark.parametrize("text", ["rewrit: []", "rewrite: fuse_relu", "rewrite: [{why: x}]", "rewrite: [}", "- a"])
def test_pipelines_of_a_wrong_form(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    assert all(p.code.startswith("SPEC") and p.line == 1 for p in raised(load_pipeline, path, "p.yaml"))


def test_options_have_types(tmp_path: Path) -> None:
    write(tmp_path, "mine", arguments="node: Node, *, size: int = 2, share: float = 1.0, use: bool = True")
    for options, ok in {
        "size: 3": 1,
        "share: 2": 1,
        "use: false": 1,
        "size: true": 0,
        "size: 1.5": 0,
        "use: 1": 0,
    }.items():
        path = tmp_path / "p.yaml"
        path.write_text(f"rewrite: [{{rule: mine, options: {{{options}}}}}]", encoding="utf-8")
        entries = load_pipeline(path, "p.yaml").rewrite
        if ok:
            check_entries(entries, load(tmp_path))
        else:
            assert [p.code for p in raised(check_entries, entries, load(tmp_path))] == ["RULE006"]


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ("raise RuleError(node, 'too odd')", "RULE008", "too odd"),
        ("from dataclasses import replace; return graph.with_node(replace(node, shape=(9,)))", "RULE009", "'p'"),
        ("return graph.nodes[99]", "RULE010", "IndexError"),
        ("return 3", "RULE010", "int"),
        ("raise SystemExit(0)", "RULE010", "SystemExit"),
        ("return graph.with_node(node)", "RULE011", "still applies"),
    ],
)
def test_rules_that_fail(tmp_path: Path, body: str, code: str, word: str) -> None:
    write(tmp_path, "mine", body=body)
    (problem,) = raised(run_rules, parse_graph(CHAIN), [Step(load(tmp_path)["mine"], {})])
    assert problem.code == code and word in problem.message
    assert problem.file == ("text#p" if code == "RULE008" else "mine/mine.py")


def test_rules_that_undo_each_other() -> None:
    @rewrite(match="pool(kind=max)")
    def there(graph: Graph, pool: Node) -> Graph:
        return _with_kind(graph, pool, "average")

    @rewrite(match="pool(kind=average)")
    def back(graph: Graph, pool: Node) -> Graph:
        return _with_kind(graph, pool, "max")

    (problem,) = raised(run_rules, parse_graph(CHAIN), [Step(there, {}), Step(back, {})])
    assert problem.code == "RULE011" and "'back', 'there'" in problem.message


def _with_kind(graph: Graph, pool: Node, kind: str) -> Graph:
    from dataclasses import replace

    return graph.with_node(replace(pool, op=replace(pool.op, kind=kind)))  # type: ignore[call-arg]


def test_the_shipped_pipeline() -> None:
    pipeline = load_pipeline(ROOT / "rules" / "pipelines" / "default.yaml", "default.yaml")
    rules = shipped()
    assert [step.rule.name for step in check_entries(pipeline.rewrite, rules)] == [e.rule for e in pipeline.rewrite]
    assert {e.rule for e in pipeline.rewrite} == set(rules), "every shipped rule runs"
    assert all(e.why for section in (pipeline.rewrite, pipeline.transform) for e in section)
    assert [e.rule for e in pipeline.transform] == [
        "coarse_folding",
        "fine_folding",
        "weights_placement",
        "partitioning",
        "weights_streaming",
        "weights_reloading",
    ]


def test_what_no_module_computes_is_named() -> None:
    graph = parse_graph("x = Input() shape=3x8x8\nt = transpose(x) order=1x2x0\nf = flatten(t)")
    assert [(p.code, p.file) for p in without_hardware(graph)] == [("RULE012", "text#t"), ("RULE012", "text#f")]


def test_error_of_a_rule_names_node_and_reason() -> None:
    node = parse_graph(CHAIN).node("c")
    assert str(RuleError(node, "why")) == "c: why"
