"""Bitstreams as Vivado writes them (.bit): the header that names the design, and the words behind it.

The header is a list of records: a letter, a length of 16 bits (big endian) and text that ends with NUL; record `e` has
a length of 32 bits and holds the configuration data. Record `a` is the design's name with options such as `UserID=0X…`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import HostError

_PREAMBLE = bytes.fromhex("00090ff00ff00ff00ff0000001")


@dataclass(frozen=True)
class Bitstream:
    """Attributes: design: name with options; part: without `xc`; data: what configures the device."""

    design: str
    part: str
    data: bytes

    @property
    def identity(self) -> str:
        """Eight hexadecimal digits that the build gave this partition; "" if it was given none."""
        found = re.search(r"UserID=0x([0-9a-f]{8})", self.design, re.IGNORECASE)
        return found.group(1).lower() if found else ""

    def for_manager(self) -> bytes:
        """As the FPGA manager wants it: without header, bytes of each 32-bit word reversed (UG585, 6.4.2)."""
        if len(self.data) % 4:
            raise HostError("HOST001", f"a bitstream of {len(self.data)} bytes is cut off")
        return np.frombuffer(self.data, np.uint32).byteswap().tobytes()


def read_bitstream(path: Path, identity: str = "") -> Bitstream:
    """A .bit file. HOST001 if it cannot be read, HOST003 if it was built from another partition than `identity`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "build it with `doit synthesise` and copy vivado/ to the board"
        raise HostError("HOST001", f"no bitstream {path}: {error.strerror}", hint) from error
    if not content.startswith(_PREAMBLE):
        raise HostError("HOST001", f"{path} is not a bitstream with a header (.bit)")
    design, at = _record(path, content, len(_PREAMBLE), b"a")
    part, at = _record(path, content, at, b"b")
    for letter in (b"c", b"d"):
        _, at = _record(path, content, at, letter)
    size = int.from_bytes(content[at + 1 : at + 5], "big")
    data = content[at + 5 : at + 5 + size]
    if content[at : at + 1] != b"e" or len(data) != size:
        raise HostError("HOST001", f"{path} is cut off")
    found = Bitstream(design, part, data)
    if identity and found.identity != identity:
        hint = "build it again, or put the bitstreams back in their places"
        has = found.identity or "none"
        raise HostError("HOST003", f"{path} has the identity {has}, this partition has {identity}", hint)
    return found


def _record(path: Path, content: bytes, at: int, letter: bytes) -> tuple[str, int]:
    size: int | None = int.from_bytes(content[at + 1 : at + 3], "big") if content[at : at + 1] == letter else None
    if size is None or at + 3 + size > len(content):
        raise HostError("HOST001", f"{path}: the header has no record {letter.decode()}")
    text = content[at + 3 : at + 3 + size].rstrip(b"\0")
    return text.decode("ascii", "replace"), at + 3 + size
