"""What goes wrong on a board, under stable codes.

HOST001 a file is missing or cannot be read, HOST002 the hardware description lacks something, HOST003 another
bitstream, HOST004 another partition's weights, HOST005 a pass of a partition that is not configured, HOST006 a buffer
is too short, HOST007 images that do not fit, HOST008 the board is not set up, HOST009 memory does not suffice, HOST010
a partition did not finish, HOST011 the device stopped or is busy, HOST012 unknown words.
"""

from __future__ import annotations


class HostError(Exception):
    """One problem: a stable code, what is wrong, what to do about it."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        return "\n".join(lines + ([f"  hint: {self.hint}"] if self.hint else []))
