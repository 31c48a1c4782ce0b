"""A table of published models that is wrong gives one line."""

import re

import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.published_cells import published_model_cells


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name,reference,a\nm,1,1\n",
            "no column 'model' (for model); there are name, reference, a",
        ),
        ("model,a\nm,0.5\n", "needs a column for reference and one for a shift (a, b)"),
        (
            "model,reference\nm,0.5\n",
            "needs a column for reference and one for a shift",
        ),
        (
            "model,reference,a\nm,50,0.5\n",
            "m, reference: '50' is not an accuracy as a fraction",
        ),
        ("model,reference,a\nm,0.5,x\n", "m, a: 'x' is not an accuracy"),
        ("model,reference,a\nm,0.5,nan\n", "m, a: 'nan' is not an accuracy"),
        (
            "model,reference,a\nm,.5,.5\nm,.5,.5\n",
            "'m' is the name of another model",
        ),
        (
            "model,reference,a\nmine,.5,.5\n",
            "'mine' is the name of another model",
        ),
        ("model,reference,a\n</script>,.5,.5\n", "'</script>' is no name"),
        ("model,reference,a\n,.5,.5\n", "'' is no name"),
        ("", "has 0 models, but a line needs 3"),
        (
            'model,reference,a\n"m,.5,.5\nn,.5,.5\n',
            "line 2: a row begins here that cannot be read",
        ),
    ],
)
def test_a_wrong_table_of_models_gives_one_line(tmp_path, text, said):
    with pytest.raises(StockpotError, match=re.escape(said)) as error:
        published_model_cells(tmp_path, text, pad=True)
    assert str(error.value).startswith("baselines.table: ")
    assert "\n" not in str(error.value)
