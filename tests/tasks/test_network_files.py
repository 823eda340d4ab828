"""A change of the weights is a change of the network, also where they lie in files of their own."""

from pathlib import Path

import onnx

from flow.tasks.network import network_files

MODEL = Path(__file__).parents[2] / "specs/networks/lenet5.onnx"


def test_external_data_is_an_input(tmp_path: Path) -> None:
    one, several = tmp_path / "one" / "m.onnx", tmp_path / "several" / "m.onnx"
    for path, together in ((one, True), (several, False)):
        path.parent.mkdir()
        options = {"all_tensors_to_one_file": together, "location": "w e.bin" if together else None}
        onnx.save_model(onnx.load(MODEL), path, save_as_external_data=True, size_threshold=0, **options)
    assert network_files(one) == (one, one.with_name("w e.bin"))
    assert set(network_files(several)) == set(several.parent.iterdir())
    assert len(network_files(several)) > 5


def test_a_file_of_its_own_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    assert network_files(MODEL) == (MODEL,)
    assert network_files(tmp_path / "empty.onnx") == (tmp_path / "empty.onnx",)
    assert network_files(None) == ()
