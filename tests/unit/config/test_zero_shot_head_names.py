"""What prompts say for a class: texts of files, data sets and names."""

import pytest

from stockpot.config.zero_shot_head import read_names, texts_of
from stockpot.runtime.errors import StockpotError

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_texts_are_the_files_then_the_data_sets_then_the_names():
    head = {"texts": {"a": "from the file"}, "key": "head.class_names", "prompts": []}
    own = {"a": "of the set", "b_1": "of the set"}
    assert texts_of(["c_2_x", "b_1", "a"], own, head) == {
        "c_2_x": "c 2 x",
        "b_1": "of the set",
        "a": "from the file",
    }


@pytest.mark.parametrize(
    ("count", "shown"), [(2, "k0, k1$"), (9, "k0, k1, k2, k3, k4, k5, .*k8$")]
)
def test_a_text_of_no_class_is_named(count, shown):
    head = {
        "texts": {"k1": "x", "zebra": "x", "yak": "x"},
        "key": "head.class_names",
        "prompts": [],
    }
    with pytest.raises(
        StockpotError, match=rf"^head\.class_names: 'yak' and 1 other are not .*{shown}"
    ):
        texts_of([f"k{i}" for i in range(count)], {}, head)


def names_of(tmp_path, content: bytes):
    (tmp_path / "names.csv").write_bytes(content)
    return read_names("head.class_names", "names.csv", lambda path: tmp_path / path)


@pytest.mark.parametrize(
    "content",
    [
        "class,name\na,red ball\nb, key \nc,\n",
        "\ufeffclass,name\r\na,red ball\r\nb,key\r\n",
        'name,id,class\n"red ball",1,a\nkey,2,b\n,3,c\n',
        "class,name\na,red ball\nb,key\nc\n",
        "class,name\na,red ball\nb,key\nc,  \n",
    ],
)
def test_names_are_read_by_the_columns(tmp_path, content):
    assert names_of(tmp_path, content.encode()) == {"a": "red ball", "b": "key"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column 'class'"),
        (b"class;name\na;b\n", "no column 'class'; .* columns are separated by commas"),
        (b"class,text\na,b\n", "no column 'name'"),
        (b"class,name\na,\xff\n", "line 2: is not UTF-8"),
        (b'class,name\na,"b\nc,d\n', "line 2: .*is a quote not closed"),
        (
            b"class,name\na," + b"b" * 10_001,
            "line 2: the text of a has 10,001 characters",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)
def test_names_that_cannot_be_read_are_named(tmp_path, content, reason):
    with pytest.raises(
        StockpotError, match=rf"^head\.class_names: .*names\.csv.*{reason}"
    ):
        names_of(tmp_path, content)


def test_a_missing_file_of_names_is_named(tmp_path):
    with pytest.raises(
        StockpotError, match=r"^tasks\.x\.class_names: cannot read .*gone\.csv"
    ):
        read_names("tasks.x.class_names", "gone.csv", lambda path: tmp_path / path)
