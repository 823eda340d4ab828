"""The resolved build: everything that the stages read, frozen, with every default filled in.

Paths (`Path`) are absolute and for reading only; they never reach an artefact. `files` lists what was read to resolve.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from flow.diagnostics import Problem
from flow.spec.layers import LayerSpec


@dataclass(frozen=True, slots=True)
class Data:
    """Images of a network: an `.npz` whose named arrays are (N, C, H, W), or (N, H, W) for one channel.

    The network reads `(pixel * scale - mean) / std`, mean and std per channel or one for all.
    `test` and `labels` are never seen by calibration.
    """

    path: Path
    file: str
    calibration: str
    test: str
    labels: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Either an ONNX file (`onnx` set, `layers` empty) or declared layers with seeded weights.

    Attributes:
        name: name of the part, of the ONNX file if it is held inline, else of the build.
        onnx: the file; None for declared layers.
        onnx_file: as the user wrote it, relative to the file that names it.
        input_shape: (channels, *spatial) of declared layers; of an ONNX file if the spec fixes it, else ().
        outputs: names of the tensors that the network is cut at; () means the ONNX file's own outputs.
        seed: of the He-normal weights of declared layers.
        data: calibration and test images, or None (seeded random images are used).
        source: the YAML file that holds the network, for messages.
    """

    name: str
    onnx: Path | None
    onnx_file: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSpec, ...]
    outputs: tuple[str, ...]
    seed: int
    data: Data | None
    source: str


UNLIMITED_GB = 100_000
"""A capacity that stands for a memory that is never full."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One off-chip memory: `kind` is ps | pl | ddr | hbm, capacity in 10^9 bytes, bandwidth the peak in 10^9 bit/s.

    A design's rate is min(ports * port_bits * clock, bandwidth * efficiency). `pj_per_bit`: of a bit moved.
    """

    kind: str
    capacity_gb: float
    bandwidth_gbps: float
    efficiency: float
    ports: int
    port_bits: int
    max_burst: int
    survives_reconfiguration: bool
    pj_per_bit: float | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What a device has; BRAM in 18-Kb units."""

    dsp: int
    bram18: int
    uram: int
    lut: int
    ff: int


@dataclass(frozen=True, slots=True)
class Energy:
    """What a device's activity costs.

    Attributes:
        static_w: power of the chip while it does nothing.
        mac_pj: a multiply-accumulate of 16 x 16 bits; others go with the product of their widths.
        bram18_pj, lut_pj: a block RAM of 18 Kb, and a LUT with its share of flip-flops, routing and clock, in a cycle.
        error: of each figure, relative.
    """

    static_w: float
    mac_pj: float
    bram18_pj: float
    lut_pj: float
    error: float
    source: str


@dataclass(frozen=True, slots=True)
class Shell:
    """What the platform of a card takes of its part, and where that is known from."""

    takes: Resources
    source: str


ONE_BITSTREAM = {
    "none": "has nothing that could load a second bitstream",
    "xrt": "loses the card's memory with a second bitstream",
}
"""Hosts whose designs have one partition, and why."""


@dataclass(frozen=True, slots=True)
class Device:
    """A board with its FPGA. `reconfiguration_s` is None where only one partition is possible.

    Attributes:
        resources: of the whole part; `usable` is what a design may take of it.
    """

    name: str
    part: str
    board: str
    platform: str
    family: str
    resources: Resources
    dsp_type: str
    memories: tuple[Memory, ...]
    clock_guide_mhz: float
    host: str
    reconfiguration_s: float | None
    configuration_bits: int | None
    source: str
    energy: Energy | None = None
    shell: Shell | None = None

    @property
    def usable(self) -> Resources:
        """The part's resources without its platform's."""
        if self.shell is None:
            return self.resources
        taken = asdict(self.shell.takes)
        return Resources(**{name: count - taken[name] for name, count in asdict(self.resources).items()})


@dataclass(frozen=True, slots=True)
class Width:
    """Wordlengths that apply to what `pattern` matches; None leaves the next weaker setting."""

    pattern: str
    weights: int | None
    activations: int | None


@dataclass(frozen=True, slots=True)
class Precision:
    """Wordlengths in bits: by node name (first pattern that matches), else by operator, else of the model."""

    weights: int = 16
    activations: int = 16
    types: tuple[Width, ...] = ()
    layers: tuple[Width, ...] = ()

    def of(self, name: str, operator: str) -> tuple[int, int]:
        """(weight bits, activation bits) of a node of that name and operator."""
        matching = [w for w in self.layers if fnmatchcase(name, w.pattern)]
        matching += [w for w in self.types if w.pattern == operator]
        weights = [w.weights for w in matching if w.weights is not None]
        activations = [w.activations for w in matching if w.activations is not None]
        return (weights or [self.weights])[0], (activations or [self.activations])[0]


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Usable part of each resource, above 0 and at most 1."""

    dsp: float = 0.9
    bram18: float = 0.9
    uram: float = 0.9
    lut: float = 0.9
    ff: float = 0.9


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits on the design; None where the spec sets none."""

    utilisation: Utilisation = Utilisation()
    max_partitions: int | None = None
    min_fps: float | None = None
    max_latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class Explore:
    """The search: same seed, same design. `seconds` stops it early, at the price of that promise."""

    seed: int = 0
    generations: int = 60
    population: int = 96
    evaluations: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Simulate:
    """C simulation.

    Attributes:
        mode: native | ap_int | both.
        images: data (the network's test images) | random (noise).
        timed: count cycles as well, with a clock a process and bounded FIFOs.
    """

    frames: int = 1
    mode: str = "native"
    images: str = "random"
    timed: bool = True


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """What LUTs and FFs are counted with.

    Attributes:
        file: as written; the shipped estimates by their place in the project. `path` is the file.
        lut_factor, ff_factor: on every cost, to ask what a design is worth if the coefficients are wrong.
    """

    file: str
    path: Path = field(compare=False, repr=False)
    lut_factor: float = 1.0
    ff_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Build:
    """One build, resolved.

    Attributes:
        name: the file's stem, made safe for a folder name.
        pipeline: name of a pipeline in rules/pipelines, or the text of a path; `pipeline_path` is the file.
        rules: folders of the user's own rules (absolute); `rules_text` as written.
        objective: throughput | latency | energy | resources, or a mix of them: name to weight, at least two.
        point: of the front of the spec, where it is not the spec's own design that is built.
        files: every YAML file that was read, absolute.
        origins: (key path, where its value came from), sorted; never line numbers.
        warnings: problems that do not stop the build.
    """

    name: str
    network: Network
    device: Device
    clock_mhz: float
    batch: int
    precision: Precision
    objective: str | dict[str, float]
    constraints: Constraints
    pipeline: str
    pipeline_path: Path
    rules: tuple[Path, ...]
    rules_text: tuple[str, ...]
    explore: Explore
    simulate: Simulate
    calibration: CalibrationChoice
    point: int | None = None
    files: tuple[Path, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
