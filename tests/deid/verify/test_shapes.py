from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.verify.shapes import shapes


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to x.quux@clinic.example.org", "mail address"),
        ("see https://pacs.example/1", "web address"),
        ("from 10.1.22.3", "network address"),
        ("078-05-1120", "social security number"),
        ("call (555) 123-4567", "phone number"),
        ("+49 681 3020 1234", "phone number"),
        ("Tel. 0681", "phone number"),
        ("MRN: 4711", "record number"),
        ("scan of 123456", "record number"),
        ("seen 2024-02-28", "date in text"),
        ("seen 28.02.2024", "date in text"),
        ("seen 28 Feb 2024", "date in text"),
        ("February 28, 2024", "date in text"),
        ("Quuxberg^Xenia", "person name"),
        ("Dr. Quuxberg", "person name"),
        ("read by Quuxberg", "person name"),
        ("Quuxberg, Xenia", "person name"),
    ],
)
def test_identifiers_have_shapes(text: str, kind: str) -> None:
    assert kind in set(shapes(text))


@pytest.mark.parametrize(
    "text",
    [
        "12 mm nodule at L4/L5, T2 hyperintense", "window 400/40, b1000, 3.75 x 0.98", "pt-abcdefgh234567ab", "[...]",
        "Chest, Abdomen and Pelvis", "slices 1-120", "1.25", "T1w 3D FLAIR", "code-abcdefgh2345", "REMOVED",
        f"ab/{'ab1234567890cdef' * 4}.png",
    ],
)  # fmt: skip
def test_findings_and_stand_ins_have_none(text: str) -> None:
    assert list(shapes(text)) == []


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert all(isinstance(kind, str) for kind in shapes(text))


def test_hostile_texts_cost_no_more_than_others() -> None:
    for piece in ("a@", "1-", "(1", "A, ", "^a", "1.1"):
        assert isinstance(list(shapes(piece * 20_000)), list)
