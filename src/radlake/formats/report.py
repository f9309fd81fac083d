"""Plain-text radiology reports: a text file counts as one when it has at least two of a report's headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from radlake.core.header import Header, Identity, Text
from radlake.formats.detect import is_text
from radlake.formats.encoding import decoded
from radlake.formats.source import MIB, Source

NAME = "report"
_LIMIT = 4 * MIB
_SUFFIXES = ("", ".txt", ".text", ".rpt", ".report")
# Section names of the RSNA reporting templates (radreport.org) and their usual synonyms; German and Chinese beside.
_HEADINGS = {
    "indication": ("INDICATION", "INDICATIONS", "CLINICAL INDICATION", "REASON FOR EXAM", "REASON FOR EXAMINATION",
                   "FRAGESTELLUNG", "INDIKATION"),
    "history": ("HISTORY", "CLINICAL HISTORY", "CLINICAL INFORMATION", "KLINISCHE ANGABEN", "ANAMNESE",
                "病史", "临床病史"),
    "examination": ("EXAM", "EXAMINATION", "STUDY", "PROCEDURE", "UNTERSUCHUNG", "检查项目"),
    "technique": ("TECHNIQUE", "PROTOCOL", "TECHNIK", "METHODE", "检查技术", "检查方法"),
    "comparison": ("COMPARISON", "PRIOR STUDIES", "VERGLEICH", "VORAUFNAHMEN", "对比"),
    "findings": ("FINDINGS", "REPORT", "BEFUND", "BEFUNDE", "检查所见", "影像所见", "影像表现", "所见"),
    "impression": ("IMPRESSION", "CONCLUSION", "OPINION", "BEURTEILUNG", "影像诊断", "诊断意见", "诊断印象", "结论"),
    "recommendation": ("RECOMMENDATION", "RECOMMENDATIONS", "EMPFEHLUNG", "建议"),
}  # fmt: skip
_SECTION_OF = {heading: section for section, headings in _HEADINGS.items() for heading in headings}
_HEADING = re.compile(
    rf"^[ \t]*({'|'.join(sorted(_SECTION_OF, key=len, reverse=True))})[ \t]*(?:[:：]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_PERSON = re.compile(
    r"^[ \t]*(?P<name>patient name|patient id|patient|name|mrn|medical record number|dob|date of birth|accession"
    r"|accession number|referring physician|radiologist|dictated by|signed by|geburtsdatum|姓名|病历号|患者编号)"
    r"[ \t]*[:：#][ \t]*(?P<value>\S[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_PATIENT_NUMBERS = frozenset({"patient id", "mrn", "medical record number", "病历号", "患者编号"})
_ACCESSIONS = frozenset({"accession", "accession number"})


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are text with at least two different headings of a report."""
    if suffix not in _SUFFIXES or not is_text(head):
        return False
    return len({_SECTION_OF[m[1].upper()] for m in _HEADING.finditer(decoded(head))}) >= 2


def scan(source: Source) -> list[Header]:
    """One document with a text for each section; the letterhead gives identity and known texts, never a text."""
    text = decoded(source.read_all(limit=_LIMIT))
    identity = Identity(study_uid=source.folder_key)
    known = set()
    for found in _PERSON.finditer(text):
        name, value = found["name"].lower(), found["value"].strip()
        known.add(value)
        if name in _PATIENT_NUMBERS:
            identity.patient_id = identity.patient_id or value.split()[0]
        elif name in _ACCESSIONS:
            identity.accession = identity.accession or value.split()[0]
    identity.known_texts = sorted(known)
    texts = [t for t in _sections(text) if t.value]
    return [Header(NAME, role="document", identity=identity, values={"stored_bytes": source.stored_size}, texts=texts)]


def _sections(text: str) -> Iterator[Text]:
    """Texts between the headings, named by section; what stands before the first heading is left out."""
    found = list(_HEADING.finditer(text))
    ends = [m.start() for m in found[1:]] + [len(text)]
    for heading, end in zip(found, ends, strict=True):
        lines = text[heading.end() : end].splitlines()
        kept = [line.strip() for line in lines if line.strip() and not _PERSON.match(line)]
        yield Text(_SECTION_OF[heading[1].upper()], "\n".join(kept))
