"""Stages that two processes want at once, and what a killed one leaves behind."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from flow.tasks.files import replaced_folder
from flow.tasks.stamp import intact, lock_file, locked, stamped_state, write_stamp


def test_a_stamp_knows_what_was_left(tmp_path: Path) -> None:
    made, stamp = tmp_path / "made", tmp_path / "stamp"
    assert intact(stamp, tmp_path) is None
    made.write_text("one")
    write_stamp(stamp, "state", [made], tmp_path)
    assert (stamped_state(stamp), intact(stamp, tmp_path)) == ("state", True)
    made.write_text("two")
    assert intact(stamp, tmp_path) is False
    made.unlink()
    assert intact(stamp, tmp_path) is False
    stamp.write_text("of another version")
    assert (stamped_state(stamp), intact(stamp, tmp_path)) == (None, None)


def test_a_lock_keeps_others_out_and_ends_with_its_process(tmp_path: Path) -> None:
    stamp = tmp_path / "explore" / "mine"
    program = f"""
import pathlib, sys
from flow.tasks.stamp import locked
with locked(pathlib.Path({str(stamp)!r})):
    print("mine", flush=True)
    sys.stdin.read()
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        (sys.executable, "-c", program), cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with lock_file(stamp).open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.kill()
    with locked(stamp):
        pass


def test_scratch_of_a_killed_run_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".explore.x7").mkdir()
    (tmp_path / "explore").mkdir()
    with replaced_folder(tmp_path / "explore") as scratch:
        (scratch / "design.json").touch()
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == [
        "explore",
        "explore/design.json",
    ]
