from __future__ import annotations

import pytest

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header
from radlake.formats import cda
from radlake.formats.source import Source

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <recordTarget><patientRole><id extension="12345" root="1.2.3"/>
    <patient><name><given>Jane</given><family>Doe</family></name></patient></patientRole></recordTarget>
  <author><assignedAuthor><assignedPerson><name>Dr. Smith</name></assignedPerson></assignedAuthor></author>
  <inFulfillmentOf><order><id extension="A-77"/></order></inFulfillmentOf>
  <documentationOf><serviceEvent><id root="1.2.840.99.1"/></serviceEvent></documentationOf>
"""
BODY = """<component><structuredBody>
  <component><section><title>Findings</title><text>
    <paragraph>A <content>solid</content> nodule
       of 8 mm.</paragraph><list><item>No effusion.</item><item>Stable &gt; 2 y.</item></list></text>
    <component><section><code displayName="Lung"/><text>Clear.</text></section></component>
  </section></component>
</structuredBody></component></ClinicalDocument>"""


def scan(text: str) -> Header:
    return cda.scan(Source("a.xml", data=text.encode()))[0]


def test_sections_become_texts_with_the_path_of_titles() -> None:
    texts = [(t.path, t.name, t.value) for t in scan(HEAD + BODY).texts]
    assert texts == [
        ("", "Findings", "A solid nodule of 8 mm.\nNo effusion.\nStable > 2 y."),
        ("Findings", "Lung", "Clear."),
    ]


def test_the_header_gives_identity_and_known_texts() -> None:
    identity = scan(HEAD + BODY).identity
    assert (identity.patient_id, identity.accession, identity.study_uid) == ("12345", "A-77", "1.2.840.99.1")
    assert {"Jane", "Doe", "Dr. Smith", "12345"} <= set(identity.known_texts)


def test_entities_and_broken_xml_are_refused() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + "<ClinicalDocument>&b;</ClinicalDocument>"
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ClinicalDocument>&a;</ClinicalDocument>'
    for text in (laughs, outside, HEAD, "<ClinicalDocument>"):
        with pytest.raises(ItemError) as caught:
            scan(text)
        assert caught.value.code == "unreadable_header"


def test_deep_nesting_is_no_way_to_crash() -> None:
    deep = "<component><section><title>x</title>" * 3000
    with pytest.raises(ItemError):
        scan(HEAD + "<component><structuredBody>" + deep + BODY)
    flat = "<content>" * 3000 + "kept" + "</content>" * 3000
    body = f"<component><structuredBody><component><section><text>{flat}</text></section></component></structuredBody>"
    assert scan(HEAD + body + "</component></ClinicalDocument>").texts[0].value == "kept"


def test_a_document_without_sections_is_ignored() -> None:
    with pytest.raises(Ignored):
        scan(HEAD + "</ClinicalDocument>")


def test_other_xml_is_not_taken() -> None:
    assert cda.sniff((HEAD + BODY).encode(), ".xml")
    assert not cda.sniff(b"<?xml version='1.0'?><annotation/>", ".xml")
