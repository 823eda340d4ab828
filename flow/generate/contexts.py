"""What the templates of a partition are filled with: typed, frozen, no decisions left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flow.diagnostics import quoted
from flow.generate.blobs import plan
from flow.generate.lint import Signatures
from flow.model.hardware import Module, Partition, Port, Stream
from flow.model.memory import MAXIMUM_BURST_WORDS, OUTSTANDING, PORT_LATENCY, burst_words
from flow.model.resources import SHIFT_REGISTER_DEPTH

FIRST_PATH = 2
"""Arguments of the test bench in front of the ports' files: invocations and trips."""


@dataclass(frozen=True, slots=True)
class StreamContext:
    """A FIFO. `lanes` is 0 for a stream of port words; `implementation` is srl or bram."""

    name: str
    lanes: int
    bits: int
    depth: int
    implementation: str


@dataclass(frozen=True, slots=True)
class PortContext:
    """An AXI master and the scalar arguments that come with it.

    Attributes:
        kind: in | out | weights | slices.
        depth: port words that one frame, the largest load of weights, or all slices take (co-simulation needs it).
        path, expected: positions of its files among the test bench's arguments (`expected` of an output only).
    """

    name: str
    bundle: str
    kind: str
    scalars: tuple[str, ...]
    depth: int
    burst: int
    path: int
    expected: int
    outstanding: int = OUTSTANDING
    latency: int = PORT_LATENCY

    @property
    def written(self) -> bool:
        return self.kind == "out"


@dataclass(frozen=True, slots=True)
class ModuleContext:
    """One process: its configuration and its call. `node` is for a comment: quoted, on one line."""

    name: str
    ip: str
    node: str
    parameters: tuple[tuple[str, int], ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionContext:
    """A partition's top function and test bench.

    Attributes:
        ips: folders whose headers are included.
    """

    index: int
    port_bits: int
    ips: tuple[str, ...]
    ports: tuple[PortContext, ...]
    streams: tuple[StreamContext, ...]
    modules: tuple[ModuleContext, ...]

    @property
    def name(self) -> str:
        """Of the top function."""
        return f"partition_{self.index}"

    @property
    def outputs(self) -> tuple[PortContext, ...]:
        return tuple(p for p in self.ports if p.written)

    @property
    def paths(self) -> int:
        """Arguments that the test bench must be given."""
        return FIRST_PATH + len(self.ports)

    @property
    def chunks(self) -> int:
        """64-bit chunks of a port word."""
        return self.port_bits // 64


def partition_context(
    partition: Partition, resident: bool, signatures: Signatures, max_burst: int = MAXIMUM_BURST_WORDS
) -> PartitionContext:
    """All that the templates of a partition say; `signatures` are those of its IPs, `max_burst` a port's beats."""
    blobs = plan(partition, resident)
    largest = max((b.words for b in blobs), default=0)
    ports = {p.name: _port(p, position, partition, largest, max_burst) for position, p in enumerate(partition.ports)}
    modules = tuple(_module(m, ports, signatures) for m in in_stream_order(partition.modules))
    return PartitionContext(
        index=partition.index,
        port_bits=partition.ports[0].port_bits,
        ips=tuple(sorted({m.ip for m in partition.modules})),
        ports=tuple(ports.values()),
        streams=tuple(_stream(s) for s in partition.streams),
        modules=modules,
    )


def in_stream_order(modules: Iterable[Module]) -> tuple[Module, ...]:
    """Producers before consumers, otherwise as they come: C simulation runs one process after the other."""
    waiting, ordered, written = list(modules), [], set[str]()
    while waiting:
        ready = next((m for m in waiting if written.issuperset(m.inputs)), None)
        if ready is None:
            raise ValueError(f"modules wait for each other: {', '.join(m.name for m in waiting)}")
        waiting.remove(ready)
        ordered.append(ready)
        written.update(ready.outputs)
    return tuple(ordered)


def _stream(stream: Stream) -> StreamContext:
    implementation = "srl" if stream.depth <= SHIFT_REGISTER_DEPTH else "bram"
    lanes = 0 if stream.tensor == "" else stream.lanes
    return StreamContext(stream.name, lanes, stream.bits, stream.depth, implementation)


def _port(port: Port, position: int, partition: Partition, weights_words: int, max_burst: int) -> PortContext:
    scalars = {"in": (f"{port.name}_frames", f"{port.name}_tile"), "out": (), "weights": (f"{port.name}_words",)}
    scalars["slices"] = (f"{port.name}_frames",)
    earlier_outputs = sum(p.direction == "out" for p in partition.ports[:position])
    return PortContext(
        name=port.name,
        bundle=f"gmem_{port.name}",
        kind=port.direction,
        scalars=scalars[port.direction],
        depth=weights_words if port.direction == "weights" else port.frame_words,
        burst=burst_words(port.port_bits, max_burst),
        path=FIRST_PATH + position,
        expected=FIRST_PATH + len(partition.ports) + earlier_outputs,
    )


def _module(module: Module, ports: Mapping[str, PortContext], signatures: Signatures) -> ModuleContext:
    """A call's arguments in the order of the IP's signature: each kind takes the next name that it stands for."""
    port = ports[module.port] if module.port is not None else None
    memory, scalars = ((port.name,), port.scalars) if port is not None else ((), ())
    names: dict[str, Iterator[str]] = {"in": iter(module.inputs)}
    # Weights come behind the data streams in a module's inputs and in every signature: one sequence serves both.
    names["port_in"] = names["in"]
    names["out"] = names["port_out"] = iter(module.outputs)
    names["memory_in"] = names["memory_out"] = iter(memory)
    names["scalar"] = iter(scalars)
    arguments = tuple(next(names[kind], "") for kind in signatures[module.ip])
    return ModuleContext(module.name, module.ip, quoted(module.node), tuple(module.parameters.items()), arguments)
