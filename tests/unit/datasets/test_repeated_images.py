"""Tests images that a data set has more than once."""

import numpy as np
import pytest

from stockpot.datasets.names import read_names
from stockpot.datasets.prepare import prepare
from stockpot.datasets.remarks import remarks
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.encoded_images import image_file, prepare_with_card, write_square


def test_an_image_that_is_there_twice_counts_once(animal_folder, tmp_path, caplog):
    again = animal_folder / "bee/again.png"
    again.write_bytes((animal_folder / "bee/3.png").read_bytes())
    data, card = prepare_with_card(animal_folder, tmp_path / "out")
    assert len(data) == 6
    assert card["source"]["equal"] == 1
    assert np.bincount(data.labels).tolist() == [3, 3]
    assert f"the same image: {animal_folder}/bee/3.png and {again}" in caplog.text
    assert remarks(card) == ["own: 1 images that repeat another one are left out."]
    names = read_names(tmp_path / "out", range(6))
    assert names == [
        f"{animal_folder}/{name}.png"
        for name in ("ant/0", "ant/2", "ant/4", "bee/1", "bee/3", "bee/5")
    ]
    every, _ = prepare_with_card(animal_folder, tmp_path / "kept", duplicates="keep")
    assert len(every) == 7  # the repeated one is the last
    assert (np.array(data.images[:]) == np.array(every.images[:6])).all()


def test_one_image_under_two_labels_is_refused_by_name(animal_folder, tmp_path):
    (animal_folder / "ant/other.png").write_bytes(
        (animal_folder / "bee/1.png").read_bytes()
    )
    first, second = rf"{animal_folder}/ant/other\.png", rf"{animal_folder}/bee/1\.png"
    said = rf"{first} and {second} .* two labels, 'ant' and 'bee'"
    with pytest.raises(StockpotError, match=said):
        prepare_with_card(animal_folder, tmp_path / "out")
    data, _ = prepare_with_card(animal_folder, tmp_path / "kept", duplicates="keep")
    assert len(data) == 7


def test_a_set_of_equal_images_is_refused(animal_folder, tmp_path):
    for path in animal_folder.glob("*/*"):
        path.write_bytes(image_file(np.full((9, 9), 70, np.uint8)))
    said = r"all 6 images are equal .*ant/0\.png and .*ant/2\.png"
    with pytest.raises(StockpotError, match=said):
        prepare_with_card(animal_folder, tmp_path / "out")


def test_lines_of_a_table_are_named(tmp_path):
    for name in ("1.png", "2.png"):
        write_square(tmp_path, name, 5)
    write_square(tmp_path, "3.png", 7)
    (tmp_path / "list.csv").write_text("path,label\n1.png,a\n3.png,a\n2.png,b\n")
    spec = encoded_spec(
        "csv", 16, path=str(tmp_path / "list.csv"), image_folder=str(tmp_path)
    )
    said = r"1\.png \(.*list\.csv, line 2\) and .*2\.png \(.*list\.csv, line 4\)"
    with pytest.raises(StockpotError, match=said):
        prepare(tmp_path / "out", spec)
