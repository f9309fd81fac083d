"""The door of the room: 200 invented people go in, none comes out."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from typing import Any, cast

import pytest
from faker import Faker

from radlake.core.header import Header, Identity, Text
from radlake.core.schema import to_table
from radlake.core.stage import Context, Item, Objects, Rows
from radlake.deid.stages import STAGES, deidentify

KEY = b"k" * 32


def _context(key: bytes = KEY, regex: str | None = None) -> Context:
    return Context(key=key, objects=cast(Objects, None), patient_regex=regex)


def _item(*headers: Header, key: bytes = KEY, uri: str = "/in/x", regex: str | None = None) -> Item:
    return Item("files", "fi-a", {"uri": uri, "bytes": 1, "mtime_ns": 1}, _context(key, regex), headers=list(headers))


def _person(n: int) -> tuple[Header, list[str]]:
    """An invented patient, planted in every field that a reader can fill, and what must not come out."""
    fake = Faker("en_US")
    fake.seed_instance(n)
    first, last, number = f"{fake.first_name()}qx", f"{fake.last_name()}zq", f"{fake.random_int(10**7, 10**8)}"
    full, uid, born = f"{last}^{first}", f"1.2.826.0.1.{fake.random_int(10**9, 10**10)}", "19470823"
    hospital, mail = f"{fake.company()} Klinikumq", fake.email()
    identity = Identity(
        f"P{number}", hospital, f"A{number}", uid, uid + ".1", uid + ".2", uid + ".3", uid + ".4", [uid + ".5"],
        [full, hospital, mail],
    )  # fmt: skip
    texts = [
        Text(f"{first} {last}", f"{last}, {first} has a mass of 12 mm; {full.upper()} {mail} {born}", path=f"/{last}"),
        Text("Person Observer Name", f"{first} {last}", unit=last),
        Text("Finding", f"{first.upper()}{last.upper()} {last} {first}", path=uid),
    ]
    columns = ("modality", "manufacturer", "body_part", "view", "image_type", "sop_class", "sex", "unit")
    header = Header(
        "dicom",
        identity=identity,
        values={
            **dict.fromkeys(columns, full),
            "instance_number": int(number),
            "rows": 64,
            "echo_time": float(born),
            "position": [full] * 3,
        },
        member_name=f"{last}/{first}.dcm",
        rois=[full, f"GTV {last} {number}"],
        labels={full: 1.0},
        split="train",
        texts=texts,
        study_date=born,
    )
    return header, [first, last, number, uid, born, hospital, mail, full, f"{first} {last}"]


def _blob(rows: Rows) -> str:
    text = json.dumps([[t, r] for t, r in rows], ensure_ascii=False)
    return unicodedata.normalize("NFKC", text).casefold()


def test_no_planted_identity_comes_out() -> None:
    for n in range(200):
        header, secrets = _person(n)
        blob = _blob(deidentify(_item(header, uri=f"/in/{secrets[1]}/{secrets[2]}.dcm")))
        for secret in secrets:
            assert secret.casefold() not in blob, (n, secret)


def test_rows_fit_their_schemas_and_tables_are_those_declared() -> None:
    header, _ = _person(1)
    rows = deidentify(_item(header, header))
    tables = {t for t, _ in rows}
    assert tables <= set(STAGES["deid"].adds)
    assert {"instances", "documents", "labels", "splits", "audit"} == tables
    for table in tables:
        assert to_table(table, [r for t, r in rows if t == table]).num_rows > 0
    assert all(r["owner"] == "fi-a" for _, r in rows)


def test_another_process_gives_the_same_rows_and_another_key_other_ids() -> None:
    code = (
        "import json\nfrom radlake.core.header import *\nfrom radlake.core.stage import *\n"
        "from radlake.deid.stages import deidentify\n"
        "head = Header('dicom', identity=Identity('Q7', study_uid='1.2'), study_date='20240101')\n"
        "item = Item('files', 'fi-a', {'uri': '/x'}, Context(b'k' * 32, None), headers=[head])\n"
        "print(json.dumps(deidentify(item)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    head = Header("dicom", identity=Identity("Q7", study_uid="1.2"), study_date="20240101")
    here = deidentify(_item(head, uri="/x"))
    assert json.loads(out) == json.loads(json.dumps(here))
    other = deidentify(_item(head, uri="/x", key=b"o" * 32))
    for column in ("patient_id", "study_id", "series_id", "instance_id", "study_day"):
        assert here[0][1][column] != other[0][1][column]


def test_labels_and_published_roles_hang_on_the_instance() -> None:
    head = Header("npz", member=3, labels={"label_0": 1.0, "Doe": 0.0}, split="val")
    rows = deidentify(_item(head))
    instance = next(r for t, r in rows if t == "instances")["instance_id"]
    labels = [r for t, r in rows if t == "labels"]
    assert [(r["unit"], r["unit_id"], r["target"], r["value"]) for r in labels] == [
        ("instance", instance, "label_0", 1.0),
        ("instance", instance, "label_1", 0.0),
    ]
    (split,) = [r for t, r in rows if t == "splits"]
    assert (split["unit_id"], split["role"], split["split_id"]) == (instance, "val", "published")


def test_the_audit_counts_actions_and_strict_removes() -> None:
    head = Header("dicom", identity=Identity("Q7"), values={"sex": "F"}, study_date="20240101")

    def audit(profile: Any) -> dict[str, tuple[str, int]]:
        rows = deidentify(_item(head, head), profile=profile)
        return {r["tag"]: (r["action"], r["count"]) for t, r in rows if t == "audit"}

    assert audit("research") == {"PatientID": ("keyed", 2), "PatientSex": ("kept", 2), "StudyDate": ("shifted", 2)}
    assert audit("strict") == {"PatientID": ("keyed", 2), "PatientSex": ("removed", 2), "StudyDate": ("removed", 2)}


def test_the_pattern_sees_names_of_members_too() -> None:
    heads = [Header("png", member=m, member_name=f"sub-{m}/a.png") for m in (1, 2)]
    rows = deidentify(_item(*heads, uri="/in/a.zip", regex=r"sub-\d"))
    patients = [r["patient_id"] for t, r in rows if t == "instances"]
    assert None not in patients
    assert len(set(patients)) == 2


def test_every_identifying_field_has_an_action() -> None:
    from radlake.deid.scan import identifying_fields

    header, _ = _person(2)
    header.values |= {"sex": "F", "age_years": 1.0, "weight_kg": 2.0, "burned_in": "YES"}
    header.identity.study_uid, header.identity.site, header.identity.device = "folder:/in", "St. Quirin", "GE 7"
    fields = identifying_fields([header, _person(3)[0]])
    rows = deidentify(_item(header, _person(3)[0]))
    assert {r["tag"] for t, r in rows if t == "audit"} == set(fields)


@pytest.mark.parametrize("headers", [[], [Header("png")]])
def test_files_without_identity_leave_no_audit(headers: list[Header]) -> None:
    assert [t for t, _ in deidentify(_item(*headers))] == ["instances"] * len(headers)
