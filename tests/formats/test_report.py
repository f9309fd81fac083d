from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.header import Header
from radlake.formats import report
from radlake.formats.source import Source

LETTER = """\
Patient Name: Jane Q. Doe
MRN: 0012345
Accession Number: A-77
St. Elsewhere Hospital, 1 Main Street

EXAM: CT chest
FINDINGS:
There is an 8 mm nodule in the left upper lobe.

No effusion.
IMPRESSION
1. Solid nodule.
Dictated by: Dr. Smith
"""


def scan(text: str | bytes, name: str = "a.txt") -> Header:
    data = text if isinstance(text, bytes) else text.encode()
    return report.scan(Source(f"folder/{name}", data=data))[0]


def test_sections_become_texts_and_the_letterhead_identity() -> None:
    header = scan(LETTER)
    assert [(t.name, t.value) for t in header.texts] == [
        ("examination", "CT chest"),
        ("findings", "There is an 8 mm nodule in the left upper lobe.\nNo effusion."),
        ("impression", "1. Solid nodule."),
    ]
    assert header.role == "document"
    assert (header.identity.patient_id, header.identity.accession) == ("0012345", "A-77")
    assert {"Jane Q. Doe", "Dr. Smith"} <= set(header.identity.known_texts)


def test_german_and_chinese_reports_are_read() -> None:
    german = scan("Befund: Kein Herd.\nBeurteilung:\nUnauffällig, größenkonstant.".encode("cp1252"))
    assert [t.name for t in german.texts] == ["findings", "impression"]
    assert german.texts[1].value == "Unauffällig, größenkonstant."
    chinese = scan("检查所见：双肺未见异常。\n诊断意见：未见异常。".encode("gb18030"))
    assert [(t.name, t.value) for t in chinese.texts][1] == ("impression", "未见异常。")


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        (LETTER, ".txt", True),
        (LETTER, "", True),
        (LETTER, ".md", False),
        ("FINDINGS: one heading is not enough", ".txt", False),
        ("FINDINGS: a\nREPORT: two names of one section", ".txt", False),
        ("The findings and the impression are in the paper.", ".txt", False),
    ],
)
def test_a_text_is_a_report_when_two_headings_say_so(text: str, suffix: str, expected: bool) -> None:
    assert report.sniff(text.encode(), suffix) is expected


@given(st.text(alphabet="abc \n:", max_size=200))
def test_nothing_before_the_first_heading_is_kept(letterhead: str) -> None:
    header = scan(f"{letterhead}\nFINDINGS: x\nIMPRESSION: y")
    assert [t.value for t in header.texts] == ["x", "y"]
