"""What a DICOM object is, from its SOP class and modality: an image, a segmentation, a report, or nothing to keep.

The lists are PS3.4 Annex B.5 (Standard SOP Classes), PS3.3 C.7.3.1.1.1 (Modality) and, for retired terms,
the 1998 edition of PS3.3.
"""

from __future__ import annotations

import functools

from pydicom._uid_dict import UID_dictionary

from radlake.core.fault import Ignored
from radlake.core.header import Role
from radlake.core.image import Kind

_STORAGE = "1.2.840.10008.5.1.4.1.1."
CT_CLASSES = frozenset(_STORAGE + tail for tail in ("2", "2.1", "2.2"))

_ROLES: dict[str, Role] = {
    _STORAGE + "66.4": "segmentation",
    _STORAGE + "66.7": "segmentation",  # label map
    _STORAGE + "481.3": "structures",
}

# First prefix that fits decides; a prefix ends at a dot or at the end of the UID.
_NOTHING: dict[str, str] = {
    "1.2.840.10008.1.3.10": "directory_record",
    _STORAGE + "88.59": "selection_only",
    _STORAGE + "11": "presentation_only",
    _STORAGE + "131": "presentation_only",
    "1.2.840.10008.5.1.4.38": "presentation_only",
    "1.2.840.10008.5.1.4.39": "presentation_only",
    _STORAGE + "9": "waveform_only",
    **dict.fromkeys((_STORAGE + f"481.{n}" for n in range(4, 23)), "plan_only"),
    _STORAGE + "481.25": "plan_only",
    _STORAGE + "200": "plan_only",
    "1.2.840.10008.5.1.4.34": "plan_only",
}
_REPORTS = _STORAGE + "88"

_KINDS: dict[Kind, str] = {
    "ct": "CT",
    "mr": "MR",
    "pet": "PT",
    "nm": "NM",
    "us": "US IVUS BDUS",
    "xray": "CR DX MG XA RF PX IO RG RTIMAGE BMD",
    "optical": "ES GM SM XC OP DMS",
    "label": "SEG",
    "other": """
        AR ANN ASMT AU BI CD CFM CTPROTOCOL DD DF DG DOC DS EC ECG EEG EMG EOG EPS FA FID FS GDCM HC HD IOL IVOCT KER
        KO LEN LS MA MS OAM OCT OPM OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR REG RESP RTDOSE RTINTENT RTPLAN
        RTRAD RTRECORD RTSEGANN RTSTRUCT SMR SR SRF ST STAIN TEXTUREMAP TG VA VF XAPROTOCOL M3D DSA
    """,
}
_KIND_OF: dict[str, Kind] = {term: kind for kind, terms in _KINDS.items() for term in terms.split()}

# Modality of a storage class whose objects forgot to state it.
_MODALITY_OF: dict[str, str] = {
    _STORAGE + tail: modality
    for modality, tails in {
        "CR": "1",
        "DX": "1.1 1.1.1",
        "MG": "1.2 1.2.1 13.1.3 13.1.4 13.1.5",
        "IO": "1.3 1.3.1",
        "CT": "2 2.1 2.2",
        "US": "3 3.1 6 6.1 6.2",
        "MR": "4 4.1 4.3 4.4",
        "NM": "5 20",
        "XA": "12.1 12.1.1 12.3 13.1.1",
        "RF": "12.2 12.2.1",
        "PT": "128 128.1 130",
        "SM": "77.1.6",
        "RTDOSE": "481.2",
        "RTIMAGE": "481.1",
        "SEG": "66.4 66.7",
        "RTSTRUCT": "481.3",
    }.items()
    for tail in tails.split()
}


@functools.lru_cache(maxsize=256)
def role_of(sop_class: str) -> Role:
    """Role of an object of a SOP class; what is not known is an image if it has pixels.

    Raises
    ------
    Ignored
        For classes that hold nothing to keep, naming why.

    Examples
    --------
    >>> role_of("1.2.840.10008.5.1.4.1.1.66.4"), role_of("1.2.840.10008.5.1.4.1.1.2")
    ('segmentation', 'image')
    """
    for prefix, reason in _NOTHING.items():
        if sop_class == prefix or sop_class.startswith(prefix + "."):
            raise Ignored(reason)
    if sop_class.startswith(_REPORTS + "."):
        return "document"
    return _ROLES.get(sop_class, "image")


def is_image_class(sop_class: str) -> bool:
    """Whether objects of this SOP class have pixels by definition.

    Examples
    --------
    >>> is_image_class("1.2.840.10008.5.1.4.1.1.4"), is_image_class("1.2.840.10008.5.1.4.1.1.66")
    (True, False)
    """
    name = UID_dictionary.get(sop_class, ("",))[0]
    return "Image Storage" in name or name == "Parametric Map Storage"


def modality_of(modality: str | None, sop_class: str) -> str:
    """Defined term for the modality: the object's own, else that of its SOP class, else OT.

    Examples
    --------
    >>> modality_of("CT", ""), modality_of(None, "1.2.840.10008.5.1.4.1.1.4"), modality_of("Smith", "")
    ('CT', 'MR', 'OT')
    """
    return modality if modality in _KIND_OF else _MODALITY_OF.get(sop_class, "OT")


def kind_of(modality: str) -> Kind:
    """Kind of image that a modality makes.

    Examples
    --------
    >>> kind_of("MG"), kind_of("RTDOSE")
    ('xray', 'other')
    """
    return _KIND_OF.get(modality, "other")
