from __future__ import annotations

import json
from pathlib import Path

import pytest

from radlake.deid.ps315 import Rules, settle, table

CT, ENHANCED_CT, UNKNOWN = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.3"


def test_every_rule_of_the_source_is_in_the_table(shared: Path) -> None:
    source = json.loads((shared / "dicom-standard" / "ps315_2026d.json").read_text())
    assert {r["tag"]: r["basic"] for r in source["rules"]} == {t: r[0] for t, r in table()["rules"].items()}
    for rule in source["rules"]:
        assert sorted(rule["options"].values()) == sorted(table()["rules"][rule["tag"]][1].values())
    assert len(table()["content"]) == len({(c["scheme"], c["code"], c["value_type"]) for c in source["content_items"]})


def test_an_older_edition_agrees_but_for_one_cell(shared: Path) -> None:
    rows = json.loads((shared / "dicom-standard" / "confidentiality_profile_attributes.json").read_text())
    older = {r["id"].upper(): r["basicProfile"] for r in rows if r["id"].upper() in table()["rules"]}
    assert len(older) > 600
    assert {t for t, basic in older.items() if table()["rules"][t][0] != basic} == set()


@pytest.mark.parametrize(
    ("code", "kind", "action"),
    [
        ("X/Z", "2", "Z"),
        ("X/Z", "3", "X"),
        ("X/D", "1", "D"),
        ("X/D", "3", "X"),
        ("Z/D", "1", "D"),
        ("X/Z/U*", "3", "U"),
    ],
)
def test_compound_codes_follow_the_type(code: str, kind: str, action: str) -> None:
    assert settle(code, kind) == action


def test_types_are_those_of_the_object() -> None:
    station, content_date = 0x00081010, 0x00080023
    assert Rules(CT, frozenset()).action(station) == "X"  # Type 3 in General Equipment
    assert Rules(UNKNOWN, frozenset()).action(station) == "D"
    assert Rules(ENHANCED_CT, frozenset()).action(content_date) == "D"  # Type 1


def test_options_go_before_the_basic_profile_and_keeping_before_cleaning() -> None:
    device_uid = 0x00181002
    assert Rules(CT, frozenset()).action(device_uid) == "U"
    assert Rules(CT, frozenset({"retain-device-identity"})).action(device_uid) == "K"
    both = frozenset({"retain-device-identity", "clean-descriptors"})
    assert Rules(CT, both).content("DCM", "121122", "TEXT") == "K"
    assert Rules(CT, frozenset({"clean-descriptors"})).content("DCM", "121122", "TEXT") == "C"


def test_private_attributes_are_safe_only_by_creator_and_number() -> None:
    rules = Rules(CT, frozenset({"retain-safe-private"}))
    assert rules.safe_private("SIEMENS MR HEADER", 0x0019110C) == "IS"
    assert rules.safe_private("SIEMENS MR HEADER", 0x0019110F) is None
    assert rules.safe_private("OTHER", 0x0019110C) is None
    assert Rules(CT, frozenset()).safe_private("SIEMENS MR HEADER", 0x0019110C) is None
