"""Cleaning of a whole DICOM data set by PS3.15 Annex E: every attribute, at every depth.

What the tables list is treated as they say. What they do not list passes only if its kind can be checked: numbers,
codes, registered UIDs, and texts of which the vocabulary leaves nothing out. The rest is emptied or removed. Pixels are
not looked at: text that is burned into them stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag

from radlake.core.errors import UsageError
from radlake.deid import actions, dates
from radlake.deid.account import AuditRow, audit_rows
from radlake.deid.actions import DATES, NUMBERS, TECHNICAL, TEXTS, WORDS, Person, joined
from radlake.deid.dataset_method import file_meta, write_method
from radlake.deid.dataset_values import (
    DEEPEST,
    creators_of,
    is_binary,
    items_of,
    person_of,
    text_of,
    texts_of,
    vr_in,
    vr_of,
)
from radlake.deid.profiles import options_of
from radlake.deid.ps315 import Rules, rules_for
from radlake.deid.rows import Profile
from radlake.deid.rules import Rule, Rulebook, apply_to_element, rulebook
from radlake.formats.dicom.elements import silent_pydicom

_PATIENT_NAME, _PATIENT_ID, _ISSUER = Tag(0x00100010), Tag(0x00100020), Tag(0x00100021)
_ACCESSION, _STUDY_ID, _SOP_CLASS = 0x00080050, 0x00200010, 0x00080016
_CONCEPT, _VALUE_TYPE, _TEXT_VALUE = Tag(0x0040A043), Tag(0x0040A040), Tag(0x0040A160)
_SCHEME = 0x00080102
_CONTENT_LABEL = 0x00700080  # CS, Type 1, and free
_OWN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})  # what this cleaning writes itself
# OB that is picture, sound or colour; no other bytes can be checked (PS3.3 C.7.6.3, C.10.9, C.11.15).
_BYTES = frozenset({0x7FE00010, 0x54001010, 0x54000110, 0x54000112, 0x00282000, 0x5400100A})
_STRINGS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"})
_FIRST_PRIVATE = 0x1000  # elements below reserve blocks (PS3.5 7.8.1)
_LONGEST_NUMBERS = 1 << 16  # bytes; vectors beyond it are no identifiers and need no look


def deidentify(
    dataset: Dataset, *, profile: Profile | Path | Rulebook = "strict", key: bytes, options: Sequence[str] = ()
) -> tuple[Dataset, list[AuditRow]]:
    """A data set that identifies nobody by its attributes, and what was done to them.

    Parameters
    ----------
    dataset : pydicom.Dataset
        It stays as it is.
    profile : {"strict", "research"}, Path or Rulebook
        "strict" is the Basic Profile with cleaned descriptors, graphics and structured content. "research" also keeps
        dates moved by a constant for each patient, patient characteristics (ages up to 90) and safe private
        attributes. A file: own rules on top of one of them (`radlake.deid.rules`); a rulebook: what was read from it.
    key : bytes
        The owner's secret: equal keys give equal UIDs, ids and shifts in every process.
    options : sequence of str
        Further options, names of `profiles.OPTIONS`. "clean-pixel-data" and "clean-visual-features" state that the
        caller has cleaned the pixels; they are only written down.

    Returns
    -------
    clean : pydicom.Dataset
        With file meta information and an empty preamble, ready to be written in the transfer syntax of the input.
    audit : list of AuditRow
        No values: paths of tags, actions and counts only.

    Raises
    ------
    UsageError
        When the profile or an option is unknown, or the key is empty.

    References
    ----------
    DICOM PS3.15 Annex E, edition 2026d.

    Examples
    --------
    >>> person = Dataset()
    >>> person.PatientName, person.PatientID, person.StudyDate, person.Rows = "Doe^John", "4711", "20240301", 512
    >>> clean, audit = deidentify(person, key=b"k" * 32)
    >>> clean.PatientID[:3], clean.StudyDate, clean.Rows, clean.PatientIdentityRemoved
    ('pt-', '', 512, 'YES')
    """
    if not key:
        raise UsageError("expected the owner's key, got no bytes; load_key reads it")
    book = rulebook(profile)
    chosen = options_of(book.profile, (*book.options, *options))
    with silent_pydicom():
        rules = rules_for(text_of(dataset, _SOP_CLASS), chosen)
        cleaner = _Cleaner(rules, person_of(dataset, key), book.dicom)
        clean = cleaner.dataset(dataset)
        clean.file_meta = file_meta(dataset, key, keep_uids="retain-uids" in chosen)
        clean.preamble = bytes(128)
        write_method(clean, dataset, chosen, own_rules=bool(book.dicom))
    return clean, audit_rows(cleaner.done)


@dataclass
class _Cleaner:
    """One cleaning of one data set: its rules, its person, and the account of what was done."""

    rules: Rules
    person: Person
    own: Mapping[int, Rule] = field(default_factory=dict)
    done: Counter[tuple[tuple[int, ...], str]] = field(default_factory=Counter)
    inside: tuple[int, ...] = ()  # sequences that the cleaning is in
    safe: Mapping[int, str] = field(default_factory=dict)  # creators there whose attributes may be kept, by their tags

    def dataset(self, source: Dataset, parent: int = 0, *, veiled: bool = False, depth: int = 0) -> Dataset:
        """A cleaned copy of a data set or item; veiled: with dummies for all that is not a number or a code."""
        kept: dict[BaseTag, DataElement | RawDataElement] = {}
        self.safe = safe = {int(tag): name for tag, name in creators_of(source) if self.rules.is_safe_creator(name)}
        overlaid = False
        for tag, stored in sorted(source.items(), key=itemgetter(0)):
            group, element = tag >> 16, tag & 0xFFFF  # a BaseTag's own properties take three times as long
            if group <= 2 or element == 0 or (tag in _OWN and not parent):
                continue
            overlaid = overlaid or group >> 8 == 0x60
            if group & 1 and (group << 16 | element >> 8) not in safe and tag not in self.own:
                if element >= _FIRST_PRIVATE:
                    self._note(tag, "removed")
                continue
            found = self._element(source, tag, vr_in(stored, tag), parent, veiled, depth)
            if found is not None:
                kept[tag] = found
                if group & 1 and (creator := Tag(group, element >> 8)) not in kept:
                    kept[creator] = DataElement(creator, "LO", safe.get(creator) or text_of(source, creator))
        if overlaid:
            self._drop_overlays(kept, source)
        clean = Dataset(kept, parent_encoding=source.original_character_set)
        implicit, little = source.original_encoding
        clean.set_original_encoding(implicit, little, source.original_character_set)
        return clean

    def _drop_overlays(self, kept: dict[BaseTag, DataElement | RawDataElement], source: Dataset) -> None:
        """What describes an overlay whose data has gone (PS3.3 C.9.2: without it the plane is none)."""
        gone = {t.group for t in source.keys() if t.group >> 8 == 0x60 and t.element == 0x3000 and t not in kept}  # noqa: SIM118
        for tag in [t for t in kept if t.group in gone]:
            del kept[tag]
            self._note(tag, "removed")

    def _element(
        self, source: Dataset, tag: BaseTag, vr: str, parent: int, veiled: bool, depth: int
    ) -> DataElement | RawDataElement | None:
        """What is left of an attribute; None when it goes."""
        try:
            if tag in self.own or tag.is_private:
                rule = self.own.get(tag)
                return self._by_own_rule(source, tag, rule) if rule else self._private(source, tag, depth)
            action = self.rules.action(tag, parent)
            if action == "X":
                return self._drop(tag)
            if vr == "SQ":
                return self._sequence(source, tag, action, veiled, depth)
            if action is None:
                return self._unlisted(source, tag, vr, veiled)
            return self._listed(source, tag, vr, action, parent, veiled)
        except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged values can raise
            return self._drop(tag, "unreadable, removed")

    def _note(self, tag: int, what: str) -> None:
        """Count what was done."""
        self.done[(*self.inside, int(tag)), what] += 1

    def _drop(self, tag: int, what: str = "removed") -> DataElement | None:
        """Nothing in place of an element."""
        self._note(tag, what)
        return None

    def _put(self, tag: BaseTag, vr: str, value: object, what: str) -> DataElement | RawDataElement:
        """A new element in place of the old one; plain text as its bytes, which pydicom writes without more ado."""
        self._note(tag, what)
        if isinstance(value, str) and vr in _STRINGS and value.isascii():
            data = value.encode("ascii")
            data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)  # PS3.5 6.2
            return RawDataElement(tag, vr, len(data), data, 0, False, True)
        return DataElement(tag, vr, value)

    def _by_own_rule(self, source: Dataset, tag: BaseTag, rule: Rule) -> DataElement | RawDataElement | None:
        """An attribute by the owner's own rule, whatever the tables say."""
        vr = vr_of(source, tag)
        if rule.action == "drop" or vr == "SQ":
            return self._drop(tag, "own rule: drop")
        values = [apply_to_element(rule, vr, text, self.person.key, tag) for text in texts_of(source, tag)]
        kept = joined([value or "" for value in values])
        return self._put(tag, "LO" if vr == "UN" else vr, kept, f"own rule: {rule.action}")

    # Sequences

    def _sequence(
        self, source: Dataset, tag: BaseTag, action: str | None, veiled: bool, depth: int
    ) -> DataElement | RawDataElement | None:
        """A sequence with cleaned items; without any where they must go."""
        if depth >= DEEPEST:
            return self._drop(tag, "too deep, removed")
        if action == "Z":
            return self._put(tag, "SQ", Items(), "emptied")
        veiled = veiled or action == "D"
        if action is not None:
            self._note(tag, "replaced" if action == "D" else "cleaned")
        outside, self.inside, safe = self.inside, (*self.inside, int(tag)), self.safe
        try:
            items = [self._item(item, tag, veiled, depth + 1) for item in items_of(source, tag)]
        finally:  # an element that cannot be read ends here as well
            self.inside, self.safe = outside, safe
        return DataElement(tag, "SQ", Items([item for item in items if item is not None]))

    def _item(self, item: Dataset, parent: int, veiled: bool, depth: int) -> Dataset | None:
        """A cleaned item; a content item (PS3.3 C.17.3) by its concept name as well."""
        action = self._content_action(item)
        if action == "X":
            self._note(_CONCEPT, "content item removed")
            return None
        clean = self.dataset(item, parent, veiled=veiled, depth=depth)
        if _TEXT_VALUE in item and action in {"D", "K"}:
            text = text_of(item, _TEXT_VALUE)
            if action == "D" or veiled:
                clean[_TEXT_VALUE] = DataElement(_TEXT_VALUE, "UT", actions.REMOVED)
            elif not self.person.is_named_in(text):
                clean[_TEXT_VALUE] = DataElement(_TEXT_VALUE, "UT", text)
        if action is not None:
            self._note(
                _CONCEPT, f"content item {'replaced' if action == 'D' else 'kept' if action == 'K' else 'cleaned'}"
            )
        return clean

    def _content_action(self, item: Dataset) -> str | None:
        """Action of table E.3.4-1 for an item; None for what is no content item or not listed."""
        if _CONCEPT not in item or _VALUE_TYPE not in item:
            return None
        names = items_of(item, _CONCEPT)
        if not names:
            return None
        scheme, code = text_of(names[0], _SCHEME), text_of(names[0], 0x00080100)
        return self.rules.content(scheme, code, text_of(item, _VALUE_TYPE))

    # Attributes that the table lists

    def _listed(
        self, source: Dataset, tag: BaseTag, vr: str, action: str, parent: int, veiled: bool
    ) -> DataElement | RawDataElement | None:
        """An attribute by its action; ids by their pseudonyms wherever a dummy or nothing is asked for."""
        if action in {"Z", "D"} and tag in {_PATIENT_NAME, _PATIENT_ID, _ACCESSION, _STUDY_ID}:
            return self._put(tag, vr, self._pseudonym(source, tag), "pseudonym")
        if action == "Z":
            return self._put(tag, vr, "" if vr not in NUMBERS else None, "emptied")
        if action == "U" or (action == "D" and vr == "UI"):
            return self._uids(source, tag)
        if action == "D":
            return self._put(tag, vr, actions.dummy(vr), "replaced")
        if action == "K":
            self._note(tag, "kept")
            return self._kept(source, tag, vr)
        return self._clean(source, tag, vr, parent, veiled)

    def _clean(
        self, source: Dataset, tag: BaseTag, vr: str, parent: int, veiled: bool
    ) -> DataElement | RawDataElement | None:
        """Action C: dates move, texts are cleaned, and where nothing is left the Basic Profile decides."""
        if vr in DATES:
            return self._dates(source, tag, vr)
        if vr in TEXTS and not veiled:
            texts = [self.person.text(vr, t) for t in texts_of(source, tag)]
            if any(texts):
                return self._put(tag, vr, joined(texts), "cleaned")
        basic = rules_for(self.rules.sop_class, frozenset()).action(tag, parent)
        return self._drop(tag) if basic in {"X", None} else self._put(tag, vr, actions.dummy(vr), "replaced")

    def _kept(self, source: Dataset, tag: BaseTag, vr: str) -> DataElement | RawDataElement:
        """An attribute that an option retains, as far as it holds what it should: numbers, dates, codes, ages."""
        if vr == "AS":
            return self._age(source, tag)
        if vr in {"DS", "IS"}:
            return self._numbers(source, tag, vr)
        if vr in DATES and not all(self.person.date(vr, text) for text in texts_of(source, tag) if text):
            return self._put(tag, vr, "", "emptied")
        if vr in TEXTS and not any(self.person.is_named_in(text) for text in texts_of(source, tag)):
            return source.get_item(tag)
        return self._words(source, tag, vr, False) if vr == "CS" or vr in TEXTS else source.get_item(tag)

    def _pseudonym(self, source: Dataset, tag: int) -> str:
        """The lake's pseudonym of an id; of a name that of its patient."""
        if tag == _STUDY_ID:
            return self.person.study
        if tag == _ACCESSION:
            return self.person.accession(text_of(source, _ACCESSION))
        if _PATIENT_ID in source:
            return self.person.other(text_of(source, _PATIENT_ID), text_of(source, _ISSUER))
        return self.person.alias

    def _uids(self, source: Dataset, tag: BaseTag) -> DataElement | RawDataElement:
        """UIDs by their keyed stand-ins; those that the standard registers stay."""
        texts = texts_of(source, tag)
        if all(not t or actions.is_registered(t) for t in texts):
            return source.get_item(tag)
        new = [t if not t or actions.is_registered(t) else actions.keyed_uid(self.person.key, t) for t in texts]
        return self._put(tag, "UI", joined(new), "uid replaced")

    def _dates(self, source: Dataset, tag: BaseTag, vr: str) -> DataElement | RawDataElement:
        """Moved dates; empty where they cannot be read."""
        moved = [self.person.date(vr, text) or "" for text in texts_of(source, tag)]
        return self._put(tag, vr, joined(moved), "shifted" if any(moved) else "emptied")

    def _age(self, source: Dataset, tag: BaseTag) -> DataElement:
        """An age of at most 90 years; empty where it cannot be read."""
        return DataElement(tag, "AS", joined([dates.capped_age(text) or "" for text in texts_of(source, tag)]))

    # Attributes that it does not list

    def _unlisted(  # noqa: PLR0911 - one line for each kind of VR
        self, source: Dataset, tag: BaseTag, vr: str, veiled: bool
    ) -> DataElement | RawDataElement | None:
        """An attribute by what its kind lets us check."""
        if vr in NUMBERS or vr in WORDS or " or " in vr or (vr == "OB" and tag in _BYTES):
            return source.get_item(tag) if is_binary(source, tag) else self._drop(tag)
        if vr == "UI":
            return source.get_item(tag) if "retain-uids" in self.rules.options else self._uids(source, tag)
        if vr in {"DS", "IS"}:
            return self._numbers(source, tag, vr)
        if vr in DATES:
            return self._unlisted_dates(source, tag, vr)
        if vr == "CS" or vr in TEXTS:
            return self._words(source, tag, vr, veiled)
        if vr in {"PN", "AE", "AS", "UR"}:
            return self._put(tag, vr, "", "emptied")
        return self._drop(tag)

    def _numbers(self, source: Dataset, tag: BaseTag, vr: str) -> DataElement | RawDataElement:
        """Decimal numbers as they stand, if they are that and no known identifier."""
        element = source.get_item(tag)
        raw = element.value if isinstance(element, RawDataElement) else None
        if isinstance(raw, bytes) and len(raw) > _LONGEST_NUMBERS:
            return element
        text = raw.decode("latin-1") if isinstance(raw, bytes) else joined(texts_of(source, tag))
        if actions.is_numeric(text) and not self.person.is_id(text):
            return element
        return self._put(tag, vr, "", "emptied")

    def _unlisted_dates(self, source: Dataset, tag: BaseTag, vr: str) -> DataElement | RawDataElement:
        """As the options on dates say."""
        if "retain-full-dates" in self.rules.options:
            return self._kept(source, tag, vr)
        return (
            self._dates(source, tag, vr)
            if "retain-modified-dates" in self.rules.options
            else self._put(tag, vr, "", "emptied")
        )

    def _words(self, source: Dataset, tag: BaseTag, vr: str, veiled: bool) -> DataElement | RawDataElement:
        """A text or code of which nothing identifying is left; the very element if nothing had to go."""
        before = texts_of(source, tag)
        if vr == "CS":
            after = [self.person.code(text) for text in before]
        elif veiled:
            after = [actions.REMOVED if text else "" for text in before]
        else:
            rule = TECHNICAL.get(tag, Person.text)
            after = [rule(self.person, vr, text) for text in before]
            if tag in actions.CODES and not actions.is_listed_scheme(text_of(source, _SCHEME)):
                after = [self.person.local_code(text) for text in after]
        if after == [text.strip(" \0") for text in before]:
            return source.get_item(tag)
        if any(after) or not any(before):
            return self._put(tag, vr, joined(after), "cleaned")
        # A text of which nothing may stay could be required (Type 1); a code could be one of a closed list.
        filled = vr in TEXTS or tag == _CONTENT_LABEL
        return self._put(tag, vr, actions.REMOVED if filled else "", "replaced" if filled else "emptied")

    def _private(self, source: Dataset, tag: BaseTag, depth: int) -> DataElement | RawDataElement | None:
        """A private attribute that the standard calls safe, treated as its VR asks; None for all others."""
        if tag.element < _FIRST_PRIVATE:
            return None  # creators return with what they created
        creator = self.safe.get(tag >> 16 << 16 | (tag & 0xFFFF) >> 8)
        listed = self.rules.safe_private(creator, tag) if creator else None
        vr = vr_of(source, tag)
        if listed is None or vr not in {listed, "UN"}:
            return self._drop(tag)
        if vr == "SQ":
            return self._sequence(source, tag, None, False, depth)
        if vr == "OB" or (vr == "UN" and listed in NUMBERS):
            return source.get_item(tag)
        return self._drop(tag) if vr == "UN" else self._unlisted(source, tag, vr, False)
