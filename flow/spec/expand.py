"""Declared layers with blocks, repetition and names taken apart: a flat list that refers to tensors by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.spec.schema import check, schema_keys
from flow.spec.value import Entry, Place, Value

MOST_LAYERS = 5000
_MOST_STEPS = 20_000
_DEEPEST = 8
_INPUT = "input"
_SHARED = ("name", "from", "with", "times")
_OF_USE = ("name", "from", "times")


@dataclass(frozen=True, slots=True)
class FlatLayer:
    """One layer: `kind` and its own options, without name, from, with and times.

    Attributes:
        inputs: names of the tensors that it reads.
        place: where the user wrote it.
        origin: key path, e.g. `layers[3].conv`.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    options: Value
    place: Place
    origin: str


@dataclass(frozen=True, slots=True)
class _Use:
    """One item of a list of layers, with the tensor `before` that it reads; `origin` is its key path."""

    kind: str
    options: Value
    place: Place
    before: str
    origin: str


@dataclass(slots=True)
class _Scope:
    """Names in one list of layers: what a reference means, and where a name was given."""

    prefix: str
    tensors: dict[str, str]
    written: frozenset[str]
    places: dict[str, Place] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def automatic(self, kind: str) -> str:
        """The next `kind1`, `kind2`, … that nobody wrote as a name."""
        while True:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            name = f"{kind}{self.counts[kind]}"
            if name not in self.written:
                return name


def expand(network: Value) -> tuple[tuple[FlatLayer, ...], dict[str, str], list[Problem]]:
    """The layers of a network's value in order, what its top-level names mean, and every problem of names and blocks.

    The value has passed the schema; the bodies of blocks are checked here, once their parameters are filled in.
    """
    nothing = Value({}, network.place)
    expansion = _Expansion(network.get("blocks") or nothing)
    layers = network.get("layers") or nothing
    scope = _Scope("", {_INPUT: _INPUT}, _written(layers.items))
    expansion.sequence(layers.items, scope, _INPUT, "layers", 0)
    expansion.report_unused()
    return tuple(expansion.layers), scope.tensors, expansion.problems


def unknown_kinds(network: Value) -> list[Problem]:
    """Layers of an unknown kind, in a network that may be wrong in any other way too."""
    blocks, layers = network.get("blocks"), network.get("layers")
    known = (*schema_keys("network", "/$defs/layer"), *(blocks.entries if blocks else ()))
    items = (item for item in (layers.items if layers else ()) if len(item.entries) == 1 or isinstance(item.data, str))
    split = [_split(item) for item in items]
    return [_unknown_kind(kind, place, known) for kind, _, place in split if kind not in known]


def _unknown_kind(kind: str, place: Place, known: Iterable[str]) -> Problem:
    return place.problem("SPEC002", f"unknown kind of layer or block {quoted(kind)}", suggest(kind, known))


class _Expansion:
    """Collects layers and problems while it descends into blocks."""

    def __init__(self, blocks: Value) -> None:
        self.blocks = blocks
        self.kinds = schema_keys("network", "/$defs/layer")
        self.layers: list[FlatLayer] = []
        self.problems: list[Problem] = []
        self.used: set[str] = set()
        self.taken: set[str] = {_INPUT}
        self.steps = 0
        for name in blocks.entries:
            if name in self.kinds:
                self.add(blocks.key_place(name), "SPEC031", f"'{name}' is a kind of layer already", "")
            for value in _parameter_names(blocks.entries[name].value):
                if value in _OF_USE:
                    message = f"block '{name}' cannot have a parameter '{value}'"
                    self.add(blocks.key_place(name), "SPEC031", message, "every use has name, from and times anyway")

    def add(self, place: Place, code: str, message: str, hint: str, related: Iterable[Problem] = ()) -> None:
        self.problems.append(place.problem(code, message, hint, tuple(related)))

    def sequence(self, items: Iterable[Value], scope: _Scope, before: str, origin: str, depth: int) -> str:
        """Expand a list of layers whose first reads `before`; the name of the tensor that the last produces."""
        for index, item in enumerate(items):
            before = self.item(item, scope, before, f"{origin}[{index}]", depth)
        return before

    def item(self, item: Value, scope: _Scope, before: str, origin: str, depth: int) -> str:
        kind, options, place = _split(item)
        if kind not in self.kinds and kind not in self.blocks.entries:
            self.problems.append(_unknown_kind(kind, place, (*self.kinds, *self.blocks.entries)))
            return before
        before = self.reference(options.get("from"), scope) or before
        times = options.get("times")
        count = times.data if times and isinstance(times.data, int) else 1
        for number in range(1, count + 1):
            self.count(place)
            name = self.name(kind, options, scope, number if count > 1 else 0)
            use = _Use(kind, options, place, before, f"{origin}.{kind}")
            before = self.layer(use, name, scope) if kind in self.kinds else self.block(use, name, scope, depth)
            scope.tensors[name] = before
        return before

    def count(self, place: Place) -> None:
        """Bound the work: blocks that repeat blocks multiply."""
        self.steps += 1
        if len(self.layers) > MOST_LAYERS or self.steps > _MOST_STEPS:
            raise BuildError(place.problem("SPEC022", f"the network has more than {MOST_LAYERS} layers", ""))

    def name(self, kind: str, options: Value, scope: _Scope, number: int) -> str:
        given = options.get("name")
        if given is None or not isinstance(given.data, str):
            return scope.automatic(kind)
        name = f"{given.data}_{number}" if number else given.data
        if name == _INPUT:
            self.add(given.place, "SPEC031", "'input' is the name of the network's input", "choose another name")
        elif name in scope.tensors and name in scope.places:
            first = scope.places[name].problem("SPEC031", "first here")
            self.add(given.place, "SPEC031", f"two layers are named '{name}'", "choose another name", [first])
        scope.places.setdefault(name, given.place)
        return name

    def layer(self, use: _Use, name: str, scope: _Scope) -> str:
        others = use.options.get("with")
        inputs = [use.before]
        for other in others.items or (others,) if others else ():
            inputs.append(self.reference(other, scope) or use.before)
        tensor = scope.prefix + name
        if tensor in self.taken and name not in scope.tensors:
            self.add(use.place, "SPEC031", f"two layers would be named '{tensor}'", "choose another name")
        self.taken.add(tensor)
        entries = use.options.entries.items()
        own = replace(use.options, data={key: entry for key, entry in entries if key not in _SHARED})
        self.layers.append(FlatLayer(use.kind, tensor, tuple(inputs), own, use.place, use.origin))
        return tensor

    def block(self, use: _Use, name: str, scope: _Scope, depth: int) -> str:
        self.used.add(use.kind)
        if depth >= _DEEPEST:
            message = f"blocks use each other more than {_DEEPEST} deep"
            self.add(use.place, "SPEC022", message, "a block cannot use itself")
            return use.before
        body = self.blocks.entries[use.kind].value
        parameters = self.parameters(use, body)
        raw = body.get("layers")
        items = [self.filled(item, parameters, use.kind) for item in (raw.items if raw else ())]
        problems = [problem for item in items for _, problem in check(item, "network", "/$defs/item")]
        self.problems += problems
        if problems:
            return use.before
        inner = _Scope(f"{scope.prefix}{name}_", {_INPUT: use.before}, _written(items))
        return self.sequence(items, inner, use.before, f"blocks.{use.kind}.layers", depth + 1)

    def parameters(self, use: _Use, body: Value) -> dict[str, Value]:
        """What each parameter of a block stands for in one use."""
        wanted, defaults = body.get("parameters"), body.get("defaults")
        required = [str(value.data) for value in (wanted.items if wanted else ())]
        values = {key: entry.value for key, entry in (defaults.entries if defaults else {}).items()}
        known = [*required, *values]
        for key, entry in use.options.entries.items():
            if key not in known and key not in _OF_USE:
                message = f"block '{use.kind}' has no parameter {quoted(key)}"
                self.add(entry.place, "SPEC034", message, suggest(key, known))
        values |= {key: entry.value for key, entry in use.options.entries.items() if key in known}
        for key in required:
            if key not in values:
                where = [self.blocks.key_place(use.kind).problem("SPEC034", f"block '{use.kind}'")]
                self.add(use.place, "SPEC034", f"block '{use.kind}' needs the parameter '{key}'", "", where)
                values[key] = Value(1, use.place, bad=True)
        return values

    def filled(self, value: Value, parameters: dict[str, Value], kind: str) -> Value:
        """The value with `$word` replaced by what the parameter stands for; that keeps the place of its use."""
        if isinstance(value.data, str) and value.data.startswith("$"):
            word = value.data[1:]
            if word in parameters:
                return parameters[word]
            self.add(
                value.place, "SPEC034", f"block '{kind}' has no parameter {quoted(word)}", suggest(word, parameters)
            )
            return replace(value, bad=True)
        if value.entries:
            entries = value.entries.items()
            return replace(value, data={k: Entry(self.filled(e.value, parameters, kind), e.place) for k, e in entries})
        return (
            replace(value, data=tuple(self.filled(v, parameters, kind) for v in value.items)) if value.items else value
        )

    def reference(self, value: Value | None, scope: _Scope) -> str | None:
        """The tensor that a layer's name stands for; None if there is none (and then a problem)."""
        if value is None or not isinstance(value.data, str):
            return None
        if value.data not in scope.tensors:
            hint = suggest(value.data, scope.tensors)
            self.add(value.place, "SPEC030", f"no layer above is named {quoted(value.data)}", hint)
        return scope.tensors.get(value.data)

    def report_unused(self) -> None:
        for name in self.blocks.entries:
            if name not in self.used and not self.problems:
                self.add(self.blocks.key_place(name), "SPEC033", f"block '{name}' is never used", "remove it")


def _parameter_names(body: Value) -> tuple[str, ...]:
    wanted, defaults = body.get("parameters"), body.get("defaults")
    names = [str(value.data) for value in (wanted.items if wanted else ())]
    return (*names, *(defaults.entries if defaults else ()))


def _split(item: Value) -> tuple[str, Value, Place]:
    """Kind, options and place of one item of a list of layers."""
    for kind, entry in item.entries.items():
        return kind, entry.value, entry.place
    return str(item.data), Value({}, item.place), item.place


def _written(items: Iterable[Value]) -> frozenset[str]:
    """Names that the user gave in a list of layers, those of repeated layers included."""
    names: set[str] = set()
    for item in items:
        _, options, _ = _split(item)
        name, times = options.get("name"), options.get("times")
        if name and times and isinstance(times.data, int):
            names |= {f"{name.data}_{number}" for number in range(1, times.data + 1)}
        elif name:
            names.add(str(name.data))
    return frozenset(names)
