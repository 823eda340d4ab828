"""Where artefacts lie does not depend on where the project does."""

import shutil
from pathlib import Path

from flow.spec import resolve
from flow.tasks.project import network_key

ROOT = Path(__file__).parents[2]


def test_a_clone_has_the_same_keys(tmp_path: Path) -> None:
    for folder in ("specs", "rules"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    keys = [network_key(resolve(root / "specs/lenet5_zedboard.yaml", root), root) for root in (ROOT, tmp_path)]
    assert keys[0] == keys[1]
    fashion = network_key(resolve(ROOT / "specs/resnet8_fashion_zedboard.yaml", ROOT), ROOT)
    assert fashion != network_key(resolve(ROOT / "specs/resnet8_zedboard.yaml", ROOT), ROOT)
