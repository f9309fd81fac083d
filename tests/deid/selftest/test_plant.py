from __future__ import annotations

import io

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from radlake.deid.profiles import options_of
from radlake.deid.ps315 import rules_for
from radlake.deid.rows import Profile
from radlake.deid.selftest.plant import NEEDED, NESTS, Key, plant


def planted(name: str, profile: Profile, seed: int = 1) -> tuple[Dataset, Key]:
    """A file of pydicom with identities in it."""
    ds = dcmread(str(get_testdata_file(name)))
    return ds, plant(ds, rules_for(str(ds.SOPClassUID), options_of(profile)), seed)


def written(ds: Dataset) -> bytes:
    """Bytes of a data set as a file."""
    stream = io.BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["CT_small.dcm", "test-SR.dcm"])
def test_every_identity_that_the_key_names_is_in_the_file(name: str, quiet: None) -> None:
    ds, key = planted(name, "strict")
    places = set(key.needles.values())
    assert set(key.leaks(written(ds))) == places
    assert {p.rpartition(" ")[2] for p in places if " at depth " in p} == {"0", "1", "2", "3"}
    assert sum(p.startswith("listed") for p in places) > 2000
    assert sum(p.startswith("unlisted") for p in places) > 500
    assert any("content" in p for p in places) == (name == "test-SR.dcm")


def test_what_the_options_keep_is_not_planted_in(quiet: None) -> None:
    _, strict = planted("CT_small.dcm", "strict")
    _, research = planted("CT_small.dcm", "research")
    assert "listed (0010,1010) at depth 0" not in research.needles.values()
    assert not strict.moments
    assert len(research.moments) > 300


def test_needed_attributes_stay_as_they_were(quiet: None) -> None:
    before = dcmread(str(get_testdata_file("CT_small.dcm")))
    ds, _ = planted("CT_small.dcm", "strict")
    assert [e for e in ds if e.keyword in NEEDED] == [e for e in before if e.keyword in NEEDED]
    assert ds.PixelData == before.PixelData


def test_equal_seeds_plant_the_same_and_others_other_identities(quiet: None) -> None:
    one, two, three = (planted("CT_small.dcm", "strict", seed)[1].needles for seed in (1, 1, 2))
    assert one == two
    assert not {n for n in one if n.isdigit() and len(n) == 7} & set(three)


def test_the_nests_are_no_rows_of_the_table() -> None:
    rules = rules_for("", frozenset())
    assert [rules.action(tag) for tag in NESTS] == [None, None, None]


def test_numbers_that_a_file_holds_anyway_tell_nothing() -> None:
    key = Key({"233517": "listed time", "1000001": "listed number", "Quuxberg": "listed name"})
    key.forget_chance(b"\xff233517\xff 91000001 Quuxberg", b"")
    assert set(key.needles) == {"1000001", "Quuxberg"}
    assert key.leaks(b"1000001, QUUXBERG") == ["listed name", "listed number"]


def test_what_an_id_spells_under_one_key_alone_tells_nothing() -> None:
    key = Key({"Quuxberg": "listed name", "Kraxxou": "listed id", "1000001": "listed number"})
    key.forget_ids(b"pt-zkraxxouvo7d3 Quuxberg 1000001", b"pt-abcdefghijklm QUUXBERG 1000002")
    assert set(key.needles) == {"Quuxberg"}


def test_names_that_samples_spell_tell_nothing() -> None:
    key = Key({"Quuxberg": "listed name", "Kraxxou": "listed id"})
    key.forget_chance(b"Quuxberg", b"XWUNKRaXXOUQ Quux\x80berg")
    assert key.leaks(b"QUUXBERG, Kraxxou") == ["listed name"]
