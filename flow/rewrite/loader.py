"""Rule files from folders: the shipped one and those of the user work alike. Any kind of rule can be loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from flow.diagnostics import BuildError, Problem, quoted
from flow.rewrite.rule import Rule
from flow.spec.pipeline import RuleFolder

RuleKind = TypeVar("RuleKind", bound=Rule)


def load_rules(folders: Iterable[RuleFolder], kind: type[RuleKind]) -> dict[str, RuleKind]:
    """Every rule of one kind by name; BuildError with everything that is wrong with any file.

    Each `*.py` file without a leading underscore holds exactly one rule, called like the file.
    """
    rules: dict[str, RuleKind] = {}
    problems: list[Problem] = []
    for folder in folders:
        for path in sorted(folder.path.glob("[!_]*.py")):
            shown = f"{folder.shown}/{path.name}"
            try:
                rule = load_rule(path, shown, kind)
            except BuildError as error:
                problems.extend(error.problems)
                continue
            if rule.name in rules:
                first = rules[rule.name]
                other = Problem("RULE004", "the other one is here", "", first.file, first.line, 1)
                message = f"two rules are called {quoted(rule.name)}"
                problems.append(Problem("RULE004", message, "rename one file", shown, rule.line, 1, (other,)))
                continue
            rules[rule.name] = rule
    if problems:
        raise BuildError(tuple(problems))
    return rules


def load_rule(path: Path, shown: str, kind: type[RuleKind]) -> RuleKind:
    """The rule of one file; `shown` is the file's name in messages."""
    module = _execute(path, shown)
    found = {key: value for key, value in vars(module).items() if isinstance(value, Rule) and value.file == str(path)}
    rule = found.get(path.stem)
    if len(found) != 1 or not isinstance(rule, kind):
        has = f"it has {', '.join(map(quoted, found))}" if found else "it has none"
        message = f"a rule file holds one {_word(kind)} called like the file, {quoted(path.stem)}; {has}"
        raise BuildError(Problem("RULE003", message, f"define {path.stem} under its decorator", shown, 1, 1))
    return replace(rule, file=shown)


def _word(kind: type[Rule]) -> str:
    return f"{kind.__name__.removesuffix('Rule').lower() or 'any'} rule"


def _execute(path: Path, shown: str) -> ModuleType:
    name = f"convmake_rule_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BuildError(Problem("RULE002", "the rule file cannot be read", "", shown))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and type hints look their module up
    try:
        spec.loader.exec_module(module)
    except BuildError as error:
        raise BuildError(tuple(_moved(p, path, shown) for p in error.problems)) from None
    except SyntaxError as error:
        place = error.lineno or 0, error.offset or 0
        raise BuildError(Problem("RULE002", f"not Python: {error.msg}", "", shown, *place)) from None
    except (Exception, SystemExit) as error:  # the user's own code: whatever it raises is one error of that file
        message = f"the rule cannot be imported: {type(error).__name__}: {error}"
        raise BuildError(Problem("RULE002", message, "", shown, line_of(error, path), 1)) from None
    finally:
        sys.modules.pop(name, None)
    return module


def _moved(problem: Problem, path: Path, shown: str) -> Problem:
    """The problem under the name that the user knows the file by."""
    file = shown if problem.file == str(path) else problem.file
    return Problem(problem.code, problem.message, problem.hint, file, problem.line, 1, problem.related)


def line_of(error: BaseException, path: Path) -> int:
    """The last line of this file in an error's history; 0 if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path) and frame.lineno]
    return lines[-1] if lines else 0
