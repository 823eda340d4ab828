"""The house rules that a reader relies on: imports point backwards, heavy packages load only where they are needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = (
    "diagnostics",
    "spec",
    "fixed_point",
    "ir",
    "operators",
    "frontend",
    "rewrite",
    "numerics",
    "model",
    "explore",
    "generate",
    "tools",
    "report",
    "benchmarks",
    "tasks",
)
HEAVY = ("onnx", "onnxruntime", "onnxslim", "scipy", "deap", "jinja2")


def imported(path: Path) -> set[str]:
    """Packages of `flow` that a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] + [f"{node.module}.{a.name}" for a in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("flow.") and n.count(".")}
    return found & set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_backwards(package: str) -> None:
    files = sorted((ROOT / "flow" / package).rglob("*.py"))
    assert files, f"flow/{package} is missing"
    allowed = set(ORDER[: ORDER.index(package) + 1])
    wrong = {f.relative_to(ROOT).as_posix(): imported(f) - allowed for f in files if imported(f) - allowed}
    assert not wrong


def test_no_package_is_unlisted() -> None:
    packages = {p.parent.name for p in (ROOT / "flow").glob("*/__init__.py")}
    assert packages == set(ORDER)


def test_only_explore_imports_deap() -> None:
    users = [p for p in (ROOT / "flow").rglob("*.py") if "deap" in p.read_text(encoding="utf-8").split()]
    assert {p.parent.name for p in users} <= {"explore"}


def test_loading_a_build_imports_nothing_heavy() -> None:
    code = f"import sys; sys.argv = ['doit', 'build']; import dodo; print([m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_nothing_reads_the_authors_machine() -> None:
    own = (".py", ".yaml", ".md", ".hpp", ".jinja", ".toml", ".json")
    tops = ("flow", "rules", "specs", "ip_templates", "docs", "tests")
    files = [p for top in tops for p in (ROOT / top).rglob("*") if p.suffix in own]
    files += [ROOT / name for name in ("dodo.py", "README.md", "CHANGELOG.md", "pyproject.toml")]
    word = "/" + "work/"
    assert not [p for p in files if word in p.read_text(encoding="utf-8", errors="replace")]
