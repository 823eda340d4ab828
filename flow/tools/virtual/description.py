"""A partition's register map as Vitis HLS lays it out: for the device that is compiled, and as .hwh for its host.

The arguments are read from the generated C++, not from what generated it. Layout: UG1399, "S_AXILITE Control Register
Map": control registers first; from 16 on every argument takes its words and one reserved word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from flow.diagnostics import BuildError, Problem
from flow.generate.cpp import ParseError, functions, tokens

CONTROL_BITS = {"AP_START": 0, "AP_DONE": 1, "AP_IDLE": 2, "AP_READY": 3}
_INTERRUPTS = ("GIER", "IP_IER", "IP_ISR")
FIRST_ARGUMENT = 0x10
BASE_ADDRESS, RANGE = 0x4000_0000, 0x1_0000
"""Where Vivado puts the first slave of M_AXI_GP0, and how much it gives it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of the top function with its register."""

    name: str
    pointer: bool
    offset: int

    @property
    def words(self) -> int:
        return 2 if self.pointer else 1


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """Registers of a partition."""

    top: str
    arguments: tuple[Argument, ...]

    def header(self) -> str:
        """`registers.hpp` for the compiled device."""
        lines = [f"static const unsigned CONTROL_{name[3:]} = {1 << bit};" for name, bit in CONTROL_BITS.items()]
        lines.append("static const unsigned REGISTER_CTRL = 0;")
        lines += [f"static const unsigned REGISTER_{a.name} = {a.offset};" for a in self.arguments]
        places = [f"offset == {a.offset + 4 * word}" for a in self.arguments for word in range(a.words)]
        lines.append(f"static bool writable(unsigned offset) {{ return {' || '.join(places)}; }}")
        return "#pragma once\n" + "\n".join(lines) + "\n"

    def hardware_description(self) -> str:
        """A .hwh with what Vivado writes about this module; other modules are left out."""
        root = Xml.Element("EDKSYSTEM", EDWVERSION="1.2", VIVADOVERSION="2024.1")
        modules = Xml.SubElement(root, "MODULES")
        attributes = {"FULLNAME": f"/{self.top}", "INSTANCE": self.top, "MODTYPE": self.top, "MODCLASS": "PERIPHERAL"}
        module = Xml.SubElement(modules, "MODULE", attributes | {"VLNV": f"convmake:hls:{self.top}:1.0"})
        blocks = Xml.SubElement(module, "ADDRESSBLOCKS")
        block = Xml.SubElement(blocks, "ADDRESSBLOCK", INTERFACE="s_axi_control", NAME="Reg", RANGE=str(RANGE))
        registers = Xml.SubElement(block, "REGISTERS")
        self._control(registers)
        for a in self.arguments:
            for word in range(a.words):
                name = f"{a.name}_{word + 1}" if a.pointer else a.name
                _register(registers, name, a.offset + 4 * word)
        system = Xml.SubElement(modules, "MODULE", FULLNAME="/system", INSTANCE="system", MODTYPE="processing_system7")
        where = {"BASEVALUE": f"{BASE_ADDRESS:#010X}", "HIGHVALUE": f"{BASE_ADDRESS + RANGE - 1:#010X}"}
        names = {"INSTANCE": self.top, "MEMTYPE": "REGISTER", "SLAVEBUSINTERFACE": "s_axi_control"}
        Xml.SubElement(Xml.SubElement(system, "MEMORYMAP"), "MEMRANGE", where | names)
        Xml.indent(root)
        return '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n' + Xml.tostring(root, "unicode") + "\n"

    def _control(self, registers: Xml.Element) -> None:
        control = _register(registers, "CTRL", 0)
        fields = Xml.SubElement(control, "FIELDS")
        for name, bit in CONTROL_BITS.items():
            field = Xml.SubElement(fields, "FIELD", NAME=name)
            for key, value in (("ADDRESS_OFFSET", 0), ("BIT_OFFSET", bit), ("BIT_WIDTH", 1)):
                Xml.SubElement(field, "PROPERTY", NAME=key, VALUE=str(value))
        for number, name in enumerate(_INTERRUPTS, 1):
            _register(registers, name, 4 * number)


def register_map(source: str, top: str, first: int = FIRST_ARGUMENT) -> RegisterMap:
    """Of the top function in a generated file; `first`: offset of the first argument. TOOL007 if it is not there."""
    try:
        found = next((f for f in functions(tokens(source)) if f.name == top), None)
    except ParseError as error:
        raise BuildError(Problem("TOOL007", f"{top}.cpp cannot be read: {error}", line=error.line)) from error
    if found is None:
        raise BuildError(Problem("TOOL007", f"{top}.cpp has no function {top}"))
    named = [(a[-1].text, any(t.text == "*" for t in a)) for a in found.arguments]
    return RegisterMap(top, tuple(_placed(named, first)))


def _placed(named: list[tuple[str, bool]], offset: int) -> Iterator[Argument]:
    for name, pointer in named:
        argument = Argument(name, pointer, offset)
        yield argument
        offset += 4 * (argument.words + 1)


def _register(registers: Xml.Element, name: str, offset: int) -> Xml.Element:
    register = Xml.SubElement(registers, "REGISTER", NAME=name)
    for key, value in (("ADDRESS_OFFSET", offset), ("SIZE", 32), ("ACCESS", "read-write")):
        Xml.SubElement(register, "PROPERTY", NAME=key, VALUE=str(value))
    return register
