"""What a cleaned data set says about its own cleaning, and the meta information of its file."""

from __future__ import annotations

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from radlake.deid.actions import is_registered, keyed_uid
from radlake.deid.dataset_values import items_of, text_of
from radlake.deid.profiles import OPTIONS, method_codes

_METHOD_CODES, _TRANSFER_SYNTAX = Tag(0x00120064), Tag(0x00020010)


def write_method(clean: Dataset, source: Dataset, options: frozenset[str], *, own_rules: bool = False) -> None:
    """Say in a data set what was done to it.

    Parameters
    ----------
    clean, source : pydicom.Dataset
        What is written to, and what it was before: methods that were applied earlier stay true.
    options : frozenset of str
        Names of `profiles.OPTIONS`.
    own_rules : bool
        Whether rules of the owner's own had the last word.

    References
    ----------
    PS3.15 E.1.1 step 6, PS3.3 C.7.1.1 and C.12.1.1.1.
    """
    codes = dict(method_codes(options))
    for item in items_of(source, _METHOD_CODES) if _METHOD_CODES in source else ():  # done before: still true
        code = text_of(item, 0x00080100)
        if code not in codes and (known := dict(method_codes(frozenset(OPTIONS))).get(code)):
            codes[code] = known
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = "DICOM PS3.15 Annex E 2026d by radlake" + (", own rules" if own_rules else "")
    clean.DeidentificationMethodCodeSequence = [_code_item(code, codes[code]) for code in sorted(codes)]
    modified, full = "retain-modified-dates" in options, "retain-full-dates" in options
    clean.LongitudinalTemporalInformationModified = "MODIFIED" if modified else "UNMODIFIED" if full else "REMOVED"
    if "clean-pixel-data" in options:
        clean.BurnedInAnnotation = "NO"
    if "clean-visual-features" in options:
        clean.RecognizableVisualFeatures = "NO"


def file_meta(source: Dataset, key: bytes, *, keep_uids: bool = False) -> FileMetaDataset:
    """Fresh meta information: class, new instance UID, transfer syntax; nothing of who wrote or sent the file."""
    meta, old = FileMetaDataset(), getattr(source, "file_meta", None) or Dataset()
    uid = text_of(source, 0x00080018) or text_of(old, 0x00020003)
    if uid:
        meta.MediaStorageSOPInstanceUID = UID(uid if keep_uids else keyed_uid(key, uid))
    sop_class = text_of(source, 0x00080016) or text_of(old, 0x00020002)
    if sop_class:
        meta.MediaStorageSOPClassUID = UID(sop_class if is_registered(sop_class) else keyed_uid(key, sop_class))
    if _TRANSFER_SYNTAX in old:
        meta.TransferSyntaxUID = old.TransferSyntaxUID
    return meta


def _code_item(code: str, meaning: str) -> Dataset:
    """An item of a code sequence, scheme DCM."""
    texts = {0x00080100: ("SH", code), 0x00080102: ("SH", "DCM"), 0x00080104: ("LO", meaning)}
    return Dataset({Tag(tag): DataElement(tag, vr, text, already_converted=True) for tag, (vr, text) in texts.items()})
