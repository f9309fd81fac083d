from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.deid.dates import capped_age, shift_date, shift_datetime, time_of_day


@settings(max_examples=50)
@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-3650, -30))
def test_whole_dates_move_by_exactly_the_days(day: date, days: int) -> None:
    assert shift_date(day.strftime("%Y%m%d"), days) == (day + timedelta(days=days)).strftime("%Y%m%d")


def test_partial_dates_keep_their_precision() -> None:
    assert (shift_date("2024", -366), shift_date("202403", -31)) == ("2023", "202402")
    assert (shift_datetime("202403", -31), shift_datetime("20240301", -1)) == ("202402", "20240229")


def test_moments_keep_their_clock_and_zone() -> None:
    assert shift_datetime("20240301235960.123456-0500", -1) == "20240229235960.123456-0500"
    assert shift_datetime("2024030112", -1) == "2024022912"


def test_what_is_no_date_or_time_gives_nothing() -> None:
    assert [shift_date(t, -1) for t in ("", "20241301", "20240230", "Smith", "19", "20240101-20240201")] == [None] * 6
    assert [shift_datetime(t, -1) for t in ("", "Smith", "20240301Smith", "2024030199")] == [None] * 4
    assert [time_of_day(t) for t in ("", "Smith", "2500", "1260", "12:")] == [None] * 5
    assert shift_date("00010101", -400) is None


def test_ages_of_ninety_and_more_are_one() -> None:
    assert [capped_age(t) for t in ("089Y", "090Y", "120Y", "999M", "052W", "X")] == [
        "089Y", "090Y", "090Y", "999M", "052W", None,
    ]  # fmt: skip
