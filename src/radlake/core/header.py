"""What a reader learns of one member of a file before any pixel is decoded.

A `Header` carries identifying values. It lives in one worker's memory between reading and de-identification and is
never written anywhere; `radlake.deid` turns it into a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["image", "segmentation", "structures", "label", "document"]


@dataclass
class Identity:
    """Raw identifiers as the file has them; None where it has none.

    `patient_id` with `issuer` names the patient; `accession` the order; the rest are DICOM UIDs. `known_texts` are
    further values that identify the person or the staff (names, addresses, numbers): cleaning free text removes them
    wherever they stand. `site` is where the scanner stands, `device` its maker and number: which batch an image is of.
    """

    patient_id: str | None = None
    issuer: str | None = None
    accession: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None
    frame_of_reference_uid: str | None = None
    referenced_series_uid: str | None = None
    referenced_instance_uids: list[str] = field(default_factory=list)
    known_texts: list[str] = field(default_factory=list)
    site: str | None = None
    device: str | None = None


@dataclass
class Text:
    """A free or coded statement found in a file: name (a code or heading), value, unit and how it was coded."""

    name: str
    value: str
    unit: str | None = None
    path: str = ""


@dataclass
class Header:
    """One member of a file: who (identity), what (role) and how (technical values).

    Parameters
    ----------
    format : str
        Name of the reader, a key of `radlake.formats.READERS`.
    member : int
        Ordinal of the member inside its file; 0 where the file is one object.
    role : {"image", "segmentation", "structures", "label", "document"}
        "structures" is RTSTRUCT, "label" a label map in a volume format.
    identity : Identity
        Raw identifiers.
    values : dict
        Columns of `radlake.core.schema.INSTANCES` other than ids, by name; absent means null.
    member_name : str or None
        Raw name of a container's member (zip); goes to `private/` only.
    rois : list of str
        Raw names of the regions in a SEG, RTSTRUCT or label file, in file order.
    labels : dict
        Target values that the file itself holds for this member (an NPZ of a published data set).
    split : str or None
        Published role of the member: "train", "val" or "test".
    texts : list of Text
        Statements for `documents`.
    study_date : str or None
        DICOM DA text, shifted by `deid` before it is stored.
    """

    format: str
    member: int = 0
    role: Role = "image"
    identity: Identity = field(default_factory=Identity)
    values: dict[str, Any] = field(default_factory=dict)
    member_name: str | None = None
    rois: list[str] = field(default_factory=list)
    labels: dict[str, float] = field(default_factory=dict)
    split: str | None = None
    texts: list[Text] = field(default_factory=list)
    study_date: str | None = None
