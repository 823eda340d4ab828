"""The data sheets' formula language: arithmetic over an IP's parameters, for single values and for whole populations.

    expression := integers and decimals, names, + - * / // %, comparisons (0 or 1), parentheses, function calls
    functions  := ceil_div(a, b), min(a, …), max(a, …), log2ceil(a), lcm(a, b), where(condition, a, b),
                  bram18(depth, width), dsp(bits_a, bits_b)

The text is read by Python's parser into a syntax tree of which only the nodes above are accepted, and folded into numpy
functions: nothing is ever executed as code. Arguments of a function may be named (`bram18(depth=512, width=36)`).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.diagnostics import BuildError, Problem, suggest
from flow.model.primitives import bram18, ceil_div, dsp_slices, log2ceil

Values = npt.NDArray[Any]
Environment = Mapping[str, Any]
Compiled = Callable[[Environment], Any]

LONGEST = 2000
"""Characters of a formula."""
DEEPEST = 60
"""Levels of nesting."""
LARGEST = 2**53
"""Largest constant: beyond it decimals are not exact."""

DSP_TYPE = "dsp_type"
"""Key of the environment that names the device's multiplier, which `dsp` depends on."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def _smallest(*values: Any) -> Any:
    result = values[0]
    for value in values[1:]:
        result = np.minimum(result, value)
    return result


def _largest(*values: Any) -> Any:
    result = values[0]
    for value in values[1:]:
        result = np.maximum(result, value)
    return result


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of the language; `arguments` () means one or more, unnamed."""

    arguments: tuple[str, ...]
    apply: Callable[..., Any]


_FUNCTIONS = {
    "ceil_div": _Function(("a", "b"), ceil_div),
    "min": _Function((), _smallest),
    "max": _Function((), _largest),
    "log2ceil": _Function(("a",), log2ceil),
    "lcm": _Function(("a", "b"), np.lcm),
    "where": _Function(("condition", "a", "b"), np.where),
    "bram18": _Function(("depth", "width"), bram18),
    "dsp": _Function(("bits_a", "bits_b"), dsp_slices),
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes:
        text: as written.
        names: parameters that it reads, sorted.
        reads_device: whether it depends on the device's multiplier.
    """

    text: str
    names: tuple[str, ...]
    _compiled: Compiled
    reads_device: bool = False

    def __call__(self, environment: Environment) -> Any:
        """Its value; an array if any parameter is one (broadcast as numpy does).

        Raises:
            ZeroDivisionError: a division by zero or a result that is no number.
        """
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise"):
                return self._compiled(environment)
        except FloatingPointError as problem:
            raise ZeroDivisionError(f"{self.text}: {problem}") from problem


@dataclass(slots=True)
class _Reader:
    """Folds the syntax tree of one formula into a function; remembers which names it saw."""

    text: str
    known: frozenset[str]
    place: Problem
    seen: set[str]

    def problem(self, node: ast.AST | None, message: str, hint: str = "") -> BuildError:
        offset = getattr(node, "col_offset", 0)
        column = self.place.column + offset if self.place.column else offset + 1
        where = f" (character {offset + 1} of '{self.text[:80]}')"
        return BuildError(Problem("DSE020", message + where, hint, self.place.file, self.place.line, column))

    def read(self, node: ast.expr, depth: int = 0) -> Compiled:
        if depth > DEEPEST:
            raise self.problem(node, f"formula is nested deeper than {DEEPEST} levels")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.BinOp():
                return self._binary(node, depth)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                inner, negative = self.read(node.operand, depth + 1), isinstance(node.op, ast.USub)
                return (lambda e: -inner(e)) if negative else inner
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
        hint = "use + - * / // %, comparisons and the functions of the data sheet language"
        raise self.problem(node, f"'{type(node).__name__}' is not part of a formula", hint)

    def _constant(self, node: ast.Constant) -> Compiled:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem(node, "only numbers can be written in a formula")
        if not abs(value) <= LARGEST:
            raise self.problem(node, "number is too large")
        return lambda _: value

    def _name(self, node: ast.Name) -> Compiled:
        name = node.id
        if name not in self.known:
            raise self.problem(node, f"unknown name '{name}'", suggest(name, self.known))
        self.seen.add(name)
        return lambda e: e[name]

    def _binary(self, node: ast.BinOp, depth: int) -> Compiled:
        apply = _BINARY.get(type(node.op))
        if apply is None:
            raise self.problem(
                node, f"operator '{type(node.op).__name__}' is not part of a formula", "use + - * / // %"
            )
        left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        return lambda e: apply(left(e), right(e))

    def _compare(self, node: ast.Compare, depth: int) -> Compiled:
        apply = _COMPARE.get(type(node.ops[0]))
        if apply is None or len(node.ops) != 1:
            raise self.problem(node, "a comparison is one of == != < <= > >= between two values")
        left, right = self.read(node.left, depth + 1), self.read(node.comparators[0], depth + 1)
        return lambda e: np.asarray(apply(left(e), right(e))).astype(np.int64)[()]

    def _call(self, node: ast.Call, depth: int) -> Compiled:
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
            name = ast.unparse(node.func)
            raise self.problem(node, f"unknown function '{name}'", suggest(name, _FUNCTIONS))
        name = node.func.id
        function = _FUNCTIONS[name]
        given = self._arguments(node, name, function.arguments)
        values = [self.read(argument, depth + 1) for argument in given]
        if name == "dsp":
            self.seen.add(DSP_TYPE)
            return lambda e: function.apply(*(v(e) for v in values), e[DSP_TYPE])
        return lambda e: function.apply(*(v(e) for v in values))

    def _arguments(self, node: ast.Call, name: str, wanted: tuple[str, ...]) -> list[ast.expr]:
        given = dict(zip(wanted, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg not in wanted or keyword.arg in given:
                raise self.problem(
                    node, f"{name} has no further argument '{keyword.arg}'", suggest(str(keyword.arg), wanted)
                )
            given[str(keyword.arg)] = keyword.value
        if not wanted and node.args:
            return list(node.args)
        if len(node.args) > len(wanted) or len(given) != len(wanted) or not wanted:
            takes = f"{name}({', '.join(wanted)})" if wanted else f"{name}(a, …)"
            raise self.problem(node, f"wrong number of arguments: {takes}")
        return [given[argument] for argument in wanted]


def parse(text: str | float, known: frozenset[str] | set[str], place: Problem | None = None) -> Formula:
    """Read a formula that may use the names in `known`.

    Args:
        text: the formula; a plain number is one too.
        place: a problem whose file, line and column say where the formula begins.

    Raises:
        BuildError: DSE020 with the character at fault.
    """
    source = str(text).strip()
    reader = _Reader(source, frozenset(known), place or Problem("", ""), set())
    if len(source) > LONGEST:
        raise reader.problem(None, f"formula is longer than {LONGEST} characters")
    flat = source.replace("\n", " ")
    try:
        tree = ast.parse(flat, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as problem:
        offset = (getattr(problem, "offset", 1) or 1) - 1
        node = ast.Constant(0, col_offset=offset)
        raise reader.problem(node, "formula cannot be read") from problem
    compiled = reader.read(tree.body)
    return Formula(source, tuple(sorted(reader.seen - {DSP_TYPE})), compiled, DSP_TYPE in reader.seen)


def linear(parts: Sequence[tuple[float, Formula]]) -> Formula:
    """The sum of coefficient * formula as one formula; what does not depend on parameters is added up once."""
    constant = sum(c * f._compiled({}) for c, f in parts if not f.names and not f.reads_device)
    moving = [(c, f._compiled) for c, f in parts if (f.names or f.reads_device) and c != 0]

    def value(environment: Environment) -> Any:
        total = constant
        for coefficient, compiled in moving:
            total = total + coefficient * compiled(environment)
        return total

    text = " + ".join(f"{c:g} * ({f.text})" for c, f in parts)
    names = tuple(sorted({name for _, f in parts for name in f.names}))
    return Formula(text, names, value, any(f.reads_device for _, f in parts))
