import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.core.money import countries, currencies, to_usd


def test_more_than_fifty_countries_and_currencies():
    assert len(countries()) >= 50
    assert len(currencies()) >= 50


def test_every_country_is_whole():
    for country in countries().values():
        assert 1 <= country.index <= 255
        assert len(country.code) == 2 and len(country.currency) == 3
        assert country.usd_rate > 0 and country.weight > 0
        assert -90 <= country.latitude <= 90 and -180 <= country.longitude <= 180


def test_countries_that_share_a_currency_share_its_rate():
    for country in countries().values():
        assert country.usd_rate == currencies()[country.currency], country.code


def test_indices_follow_the_file_because_packed_records_hold_them():
    assert [country.index for country in countries().values()] == list(range(1, len(countries()) + 1))
    assert countries()["US"].index == 1


def test_an_unknown_currency_is_named_with_the_remedy():
    with pytest.raises(InvalidInput, match=r"'XXX' is unknown; use one of .*USD"):
        to_usd(1.0, "XXX")
