"""Compiled sources are found again by what they were made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.native import library


def answer(source: Path) -> int:
    library.cache_clear()
    found = library(source)
    assert found is not None, "g++ is needed"
    return int(found.answer())


def test_a_changed_header_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, header = tmp_path / "source.cpp", tmp_path / "number.h"
    source.write_text('#include "number.h"\nextern "C" int answer() { return NUMBER; }\n')
    header.write_text("const int NUMBER = 1;\n")
    assert answer(source) == 1
    header.write_text("const int NUMBER = 2;\n")
    assert answer(source) == 2
