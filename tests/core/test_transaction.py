import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.core.transaction import MERCHANT_COLUMNS, USER_COLUMNS, conform


def merchants() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "online": [True],
            "merchant_id": ["m1"],
            "merchant_category": ["5411"],
            "country": ["US"],
            "latitude": [1],
            "longitude": [2],
            "extra": [0],
        }
    )


def test_conform_orders_casts_and_drops():
    table = conform(merchants(), MERCHANT_COLUMNS)
    assert list(table) == list(MERCHANT_COLUMNS)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == MERCHANT_COLUMNS


def test_a_missing_column_is_named():
    with pytest.raises(InvalidInput, match="columns missing: merchant_category"):
        conform(merchants().drop(columns="merchant_category"), MERCHANT_COLUMNS)


def test_a_column_that_cannot_be_cast_is_named():
    with pytest.raises(InvalidInput, match="'latitude' cannot be read as float64"):
        conform(merchants().assign(latitude="north"), MERCHANT_COLUMNS)


def test_demographics_stand_behind_what_features_may_use():
    names = list(USER_COLUMNS)
    assert names.index("account_opened") < min(names.index(n) for n in ("age_band", "gender", "income_band"))
