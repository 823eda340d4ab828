"""Builds that several tests share."""

import pytest

from tests.generate import designs

from .builds import Made, made


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two partitions, both with weights; a skip connection crosses the cut."""
    return made(designs.residual(cuts=(3,), batch=2), tmp_path_factory.mktemp("two") / "build")


@pytest.fixture(scope="session")
def passes(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One partition whose last layer comes in three passes."""
    return made(designs.reloaded(), tmp_path_factory.mktemp("passes") / "build")


@pytest.fixture(scope="session")
def sliced(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One partition, three layers with streamed weights; no tile of several frames divides the batch of five."""
    return made(designs.streamed(batch=5), tmp_path_factory.mktemp("sliced") / "build")
