"""Where a partition's registers are, from the hardware description that Vivado leaves beside the bitstream (.hwh)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping
from xml.etree import ElementTree

from .errors import HostError

CONTROL = "CTRL"
START, DONE, IDLE = "AP_START", "AP_DONE", "AP_IDLE"
_WORD_BITS = 32
_LARGEST = 1 << 28
"""Bytes of a description that is still read: those of large designs take 10 MB."""


@dataclass(frozen=True)
class Register:
    """Offset in bytes from the partition's base address; fields by name as masks."""

    offset: int
    bits: int
    fields: Mapping[str, int]


@dataclass(frozen=True)
class Description:
    """Registers of one partition.

    Attributes:
        partition: name of the module.
        base, size: of its registers in the processor's address space, bytes.
        registers: by name; a pointer `in_0` is either one register of 64 bits or the two words `in_0_1`, `in_0_2`.
    """

    partition: str
    base: int
    size: int
    registers: Mapping[str, Register]

    def words(self, argument: str, value: int) -> tuple[tuple[int, int], ...]:
        """(offset, 32-bit word) of every word that an argument's value takes. HOST002 if it has no register."""
        places = self._places(argument)
        if value >> (_WORD_BITS * len(places)):
            raise HostError("HOST002", f"{self.partition}: {argument} = {value:#x} does not fit its register")
        mask = (1 << _WORD_BITS) - 1
        return tuple((place, (value >> (_WORD_BITS * k)) & mask) for k, place in enumerate(places))

    def control(self, field: str) -> tuple[int, int]:
        """(offset, mask) of a field of the control register."""
        register = self._register(CONTROL)
        if field not in register.fields:
            raise HostError("HOST002", f"{self.partition}: {CONTROL} has no field {field}")
        return register.offset, register.fields[field]

    def _places(self, argument: str) -> tuple[int, ...]:
        if argument in self.registers:
            register = self.registers[argument]
            words = max(1, register.bits // _WORD_BITS)
            return tuple(register.offset + 4 * k for k in range(words))
        if f"{argument}_1" in self.registers and f"{argument}_2" in self.registers:
            return tuple(self.registers[f"{argument}_{k}"].offset for k in (1, 2))
        return (self._register(argument).offset,)

    def _register(self, name: str) -> Register:
        if name not in self.registers:
            known = ", ".join(sorted(self.registers)) or "none"
            raise HostError("HOST002", f"{self.partition} has no register {name}", f"it has {known}")
        return self.registers[name]


def read_description(path: Path, partition: str) -> Description:
    """The registers of a partition in a .hwh file. HOST001 if it cannot be read, HOST002 if something is missing."""
    root = _parsed(path)
    modules = [m for m in root.iter("MODULE") if m.get("MODTYPE") == partition]
    if len(modules) != 1:
        found = sorted(str(m.get("MODTYPE")) for m in root.iter("MODULE"))
        hint = f"it describes {', '.join(found)}" if found else "it describes no module"
        raise HostError("HOST002", f"{path.name} does not describe {partition}", hint)
    instance = modules[0].get("INSTANCE", "")
    ranges = {_range(path, r) for r in root.iter("MEMRANGE") if r.get("INSTANCE") == instance}
    if len(ranges) != 1:
        raise HostError("HOST002", f"{path.name} has {len(ranges)} address ranges of {partition} instead of one")
    base, size = ranges.pop()
    registers = dict(_registers(path, modules[0]))
    outside = [name for name, r in registers.items() if not 0 <= r.offset <= size - 4]
    if outside or not registers:
        raise HostError(
            "HOST002", f"{path.name}: registers of {partition} {'outside its range' if outside else 'lack'}"
        )
    return Description(partition, base, size, registers)


def _parsed(path: Path) -> ElementTree.Element:
    try:
        if path.stat().st_size > _LARGEST:
            raise HostError("HOST001", f"{path} is too large for a hardware description")
        text = path.read_bytes()
    except OSError as error:
        hint = "it lies beside the bitstream; copy both to the board"
        raise HostError("HOST001", f"no hardware description {path}: {error.strerror}", hint) from error
    if b"<!DOCTYPE" in text:  # entities could grow without bound, and no tool writes any
        raise HostError("HOST001", f"{path} declares a document type, which hardware descriptions do not")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise HostError("HOST001", f"{path} is no hardware description: {error}") from error


def _range(path: Path, found: ElementTree.Element) -> tuple[int, int]:
    base, high = (_number(path, found.get(name)) for name in ("BASEVALUE", "HIGHVALUE"))
    return base, high - base + 1


def _registers(path: Path, module: ElementTree.Element) -> Iterator[tuple[str, Register]]:
    for register in module.iter("REGISTER"):
        own = _properties(register)
        fields: dict[str, int] = {}
        for field in register.iter("FIELD"):
            bits = _properties(field)
            width = _number(path, bits.get("BIT_WIDTH", "1"))
            fields[field.get("NAME", "")] = ((1 << width) - 1) << _number(path, bits.get("BIT_OFFSET"))
        offset, size = _number(path, own.get("ADDRESS_OFFSET")), _number(path, own.get("SIZE", "32"))
        yield register.get("NAME", ""), Register(offset, size, fields)


def _properties(element: ElementTree.Element) -> dict[str, str]:
    """Its own properties, not those of fields inside it."""
    return {p.get("NAME", ""): p.get("VALUE", "") for p in element.findall("PROPERTY")}


def _number(path: Path, text: str | None) -> int:
    """Decimal or hexadecimal: versions of Vivado write both."""
    try:
        return int(text or "", 0)
    except ValueError as error:
        raise HostError("HOST002", f"{path.name}: {text!r} is not a number") from error
