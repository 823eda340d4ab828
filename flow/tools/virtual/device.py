"""What synthesis and implementation leave of a partition, with g++ in their place: a bitstream and its description.

The "bitstream" has the header of a real one and a program behind it, so the host program tells partitions apart as it
does on a board. A partition whose sources and whose compiler did not change is not compiled again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from flow.diagnostics import BuildError, Problem
from flow.generate.files import put
from flow.tools.gpp import compile_device, compiler_version
from flow.tools.virtual.description import FIRST_ARGUMENT, register_map

_PREAMBLE = bytes.fromhex("00090ff00ff00ff00ff0000001")


def make_device(out: Path, index: int, first: int = FIRST_ARGUMENT) -> Path:
    """`virtual/p<i>/partition_<i>.bit` and `.hwh` of a build; the bitstream.

    It computes with native integers, whose port words lie in memory as the device's do. `first`: offset of the first
    argument's register. TOOL002 from the compiler, TOOL007 if the build has no such partition.
    """
    top, project, folder = f"partition_{index}", out / "hls" / f"p{index}", out / "virtual" / f"p{index}"
    host = _host_record(out, index)
    registers = register_map(_text(project / f"{top}.cpp"), top, first)
    bitstream, made_of = folder / f"{top}.bit", folder / "made_of"
    state = _state(project, registers.header(), str(host["identity"]))
    if bitstream.is_file() and made_of.is_file() and made_of.read_text(encoding="ascii") == state:
        return bitstream
    made_of.unlink(missing_ok=True)
    put(folder / "registers.hpp", registers.header())
    program = compile_device(project, folder)
    design = f"design_wrapper;UserID=0X{str(host['identity'] or 'ffffffff').upper()};Version=virtual"
    put(bitstream, bitstream_bytes(design, "virtual", program.read_bytes()))
    program.unlink()
    put(folder / f"{top}.hwh", registers.hardware_description())
    put(made_of, state)
    return bitstream


def bitstream_bytes(design: str, part: str, data: bytes) -> bytes:
    """A .bit file, date and time left blank: records of a letter, a length and text, then the configuration data."""
    texts = ((b"a", design), (b"b", part), (b"c", "-"), (b"d", "-"))
    records = b"".join(k + (len(t) + 1).to_bytes(2, "big") + t.encode("ascii") + b"\0" for k, t in texts)
    return _PREAMBLE + records + b"e" + len(data).to_bytes(4, "big") + data


def _host_record(out: Path, index: int) -> dict[str, object]:
    try:
        partitions = json.loads((out / "host" / "host.json").read_text(encoding="utf-8"))["partitions"]
        record: dict[str, object] = partitions[index]
    except (OSError, ValueError, LookupError) as error:
        raise BuildError(Problem("TOOL007", f"{out} has no partition {index}", "generate the build first")) from error
    return record


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(Problem("TOOL007", f"cannot read {path}: {error.strerror}", "generate first")) from error


def _state(project: Path, registers: str, identity: str) -> str:
    """Digest of all that a device is compiled from."""
    whole = hashlib.sha256(f"{registers}\0{identity}\0{compiler_version()}".encode())
    for path in sorted(project.glob("*.[ch]pp")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()
