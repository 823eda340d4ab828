"""YAML with positions, checked against the schemas in specs/schemas, resolved into a frozen `Build`."""

from flow.spec.build import (
    Build,
    Constraints,
    Data,
    Device,
    Explore,
    Memory,
    Network,
    Precision,
    Resources,
    Simulate,
    Utilisation,
    Width,
)
from flow.spec.canonical import network_json, resolved, resolved_json, show
from flow.spec.devices import device_table, read_devices
from flow.spec.layers import (
    Activation,
    ActivationLayer,
    AddLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    FcLayer,
    FlattenLayer,
    GlobalPoolLayer,
    LayerSpec,
    PoolLayer,
    ResizeLayer,
)
from flow.spec.locate import locate
from flow.spec.resolve import build_name, resolve
from flow.spec.words import parse_words, spec_paths

__all__ = [
    "Activation",
    "ActivationLayer",
    "AddLayer",
    "Build",
    "ConcatLayer",
    "Constraints",
    "ConvLayer",
    "ConvTransposeLayer",
    "Data",
    "Device",
    "Explore",
    "FcLayer",
    "FlattenLayer",
    "GlobalPoolLayer",
    "LayerSpec",
    "Memory",
    "Network",
    "PoolLayer",
    "Precision",
    "ResizeLayer",
    "Resources",
    "Simulate",
    "Utilisation",
    "Width",
    "build_name",
    "device_table",
    "locate",
    "network_json",
    "parse_words",
    "read_devices",
    "resolve",
    "resolved",
    "resolved_json",
    "show",
    "spec_paths",
]
