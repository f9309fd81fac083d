from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.verify.needles import Needles, ordinary, words


def with_name(name: str) -> Needles:
    needles = Needles()
    needles.add_name(name)
    return needles


@pytest.mark.parametrize(
    "spelling",
    [
        "Quuxberg^Xenia",
        "XENIA QUUXBERG",
        "quuxberg, xenia",
        "xeniaquuxberg",
        "Quuxberg_Xenia.01",
        "Mrs Quuxberg",
        "QUÜXBERG",
    ],
)
def test_a_name_is_found_in_every_spelling(spelling: str) -> None:
    assert with_name("Quuxberg^Xenia").find(words(f"seen: {spelling} today")) == {"name"}


def test_a_name_that_is_a_word_of_the_standard_counts_only_with_another_part() -> None:
    assert "white" in ordinary()
    needles = with_name("White^John")
    assert needles.find(words("white matter")) == set()
    assert needles.find(words("John White")) == {"name"}


def test_names_in_other_scripts_are_found_inside_words() -> None:
    assert with_name("Yamada^Tarou=山田^太郎").find(words("患者山田太郎様")) == {"name"}


@pytest.mark.parametrize("spelling", ["4711-0815", "47110815", "4711 0815", "id:4711/0815"])
def test_a_number_is_found_with_other_separators(spelling: str) -> None:
    needles = Needles()
    needles.add_id("4711-0815", "patient id")
    assert needles.find(words(spelling)) == {"patient id"}
    assert needles.find(words("147110815")) == set()


def test_short_numbers_count_as_whole_values_only() -> None:
    needles = Needles()
    needles.add_id("12", "patient id")
    assert needles.find(words("12 mm")) == set()
    assert needles.whole(" 12 ") == "patient id"
    assert needles.whole("012") is None


def test_placeholders_are_nobodys() -> None:
    needles = Needles()
    needles.add_id("ANONYMOUS", "patient id")
    needles.add_name("REMOVED")
    assert not needles


@pytest.mark.parametrize(
    "spelling",
    [
        "20240228",
        "2024-02-28",
        "28.02.2024",
        "28.2.24",
        "2/28/2024",
        "28 Feb 2024",
        "February 28, 2024",
        "28th february 2024",
    ],
)
def test_a_day_is_found_as_people_write_it(spelling: str) -> None:
    needles = Needles()
    needles.add_date("20240228")
    assert needles.find(words(spelling)) == {"date"}
    assert needles.find(words("20240301 2024-03-01")) == set()


def test_a_day_that_is_none_is_not_looked_for() -> None:
    needles = Needles()
    needles.add_date("20241345")
    assert not needles


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=5, max_size=20))
def test_every_long_word_that_is_a_name_is_found_again(name: str) -> None:
    parts = words(name)
    if len(parts) == 1 and len(parts[0]) > 4 and len(set(parts[0])) > 1 and parts[0] not in ordinary():
        assert with_name(name).find(words(f"the {name.upper()} scan")) in ({"name"}, set())
        assert with_name(name).find(parts) == {"name"}


@pytest.mark.parametrize("filler", ["xxxxxx", "9999999", "123456789", "SSSSSSS"])
def test_fillers_count_as_whole_values_only(filler: str) -> None:
    needles = Needles()
    needles.add_id(filler, "patient id")
    needles.add_name(filler)
    assert needles.find(words(f"samples {filler} of a picture")) == set()
    assert needles.whole(filler.lower()) == "patient id" or needles.whole(filler) == "name"
