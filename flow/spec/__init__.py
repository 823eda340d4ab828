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

__all__ = [
    "Build",
    "Constraints",
    "Data",
    "Device",
    "Explore",
    "Memory",
    "Network",
    "Precision",
    "Resources",
    "Simulate",
    "Utilisation",
    "Width",
]
