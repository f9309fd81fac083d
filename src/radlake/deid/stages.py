"""The door of this room: headers of one file in, rows of the shareable tables out; and text off the pixels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from radlake.core.header import Header
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.deid.documents import document_rows
from radlake.deid.pseudonyms import Ids, ids
from radlake.deid.rows import Profile, instance_row
from radlake.deid.scan import identifying_fields

PUBLISHED_SPLIT = "published"
_TARGET = re.compile(r"label(?:_\d{1,3})?")
_ROLES = frozenset({"train", "val", "test"})
# What happens to each field that `identifying_fields` names.
_ACTIONS = {
    "PatientID": "keyed",
    "IssuerOfPatientID": "keyed",
    "AccessionNumber": "keyed",
    "StudyInstanceUID": "keyed",
    "SeriesInstanceUID": "keyed",
    "SOPInstanceUID": "keyed",
    "FrameOfReferenceUID": "keyed",
    "InstitutionName": "keyed",
    "DeviceSerialNumber": "keyed",
    "ReferencedSeriesInstanceUID": "keyed",
    "ReferencedSOPInstanceUID": "removed",
    "path": "keyed",
    "names of archive members": "moved to private",
    "names, addresses and numbers of people": "removed",
    "labels of regions": "cleaned",
    "texts": "cleaned",
    "StudyDate": "shifted",
    "PatientAge": "capped",
    "PatientSex": "kept",
    "PatientWeight": "kept",
    "BurnedInAnnotation": "kept",
}
_STRICT_REMOVES = frozenset({
    "StudyDate", "PatientAge", "PatientSex", "PatientWeight", "InstitutionName", "DeviceSerialNumber",
})  # fmt: skip


def deidentify(item: Item, *, profile: Profile = "research") -> Rows:
    """Rows of `instances`, `documents`, `labels`, `splits` and `audit` for one file.

    Parameters
    ----------
    item : Item
        A file with the headers of its members.
    profile : {"research", "strict"}
        "research" keeps shifted dates, age up to 90, weight, sex, keyed ids of site and device; "strict" drops them.
    """
    key, path = item.context.key, str(item.row.get("uri", ""))
    rows: Rows = []
    for header in item.headers:
        member_path = f"{path}/{header.member_name}" if header.member_name else path
        known = ids(
            key,
            header.identity,
            file_id=item.id,
            member=header.member,
            path=member_path,
            patient_regex=item.context.patient_regex,
        )
        rows.append(("instances", instance_row(header, known, file_id=item.id, key=key, profile=profile)))
        rows += [("documents", row) for row in document_rows(header, known, file_id=item.id)]
        rows += [("labels", row) for row in _label_rows(header, known, item.id)]
        if header.split in _ROLES:
            rows.append(("splits", _split_row(header.split, known, item.id)))
    rows += [("audit", row) for row in _audit_rows(identifying_fields(item.headers), item.id, profile)]
    return rows


def redact(item: Item, *, image: str = "original") -> Rows:
    """Blank text that is burned into the pixels, and say what is left.

    Needs the extra "ocr". Steps after this one see the blanked image; a preview is made of it when nothing is left to
    read. Everything is read but label maps, whatever the header says.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    """
    if item.images[image].kind == "label":
        return []
    from radlake.deid.pixels import blank_image

    item.images[image], state, boxes = blank_image(item.images[image])
    item.row["pixel_text"] = state
    return [("pixel_texts", {"owner": item.id, "image_id": item.id, "state": state, "boxes": boxes})]


def deface(item: Item, *, image: str = "original") -> Rows:
    """Remove the face, and the ears, from CT and MR of heads whose voxels are small enough to rebuild it.

    Steps after this one see the volume without its face. A volume that may show one, and in which it is not found, is
    set aside. What was examined is taken from the body part of its row; without one, the field of view decides.

    Parameters
    ----------
    item : Item
        An image with its voxels.
    image : str
        Name of the image to use.
    """
    from radlake.deid.deface import deface as without_face
    from radlake.deid.faces import in_volume

    found, state = item.images[image], "none"
    if in_volume(found, item.row.get("body_part")) == "recognizable":
        item.images[image], state = without_face(found), "removed"
    return [("faces", {"owner": item.id, "image_id": item.id, "state": state})]


def _label_rows(header: Header, known: Ids, file_id: str) -> Iterator[Row]:
    """Target values that a file holds for one of its members; targets without a plain name are numbered."""
    for number, (name, value) in enumerate(header.labels.items()):
        yield {
            "owner": file_id,
            "unit": "instance",
            "unit_id": known.instance_id,
            "patient_id": known.patient_id,
            "target": name if _TARGET.fullmatch(name) else f"label_{number}",
            "value": float(value),
            "text": None,
        }


def _split_row(role: str | None, known: Ids, file_id: str) -> Row:
    """Published role of one member."""
    return {
        "owner": file_id,
        "split_id": PUBLISHED_SPLIT,
        "unit": "instance",
        "unit_id": known.instance_id,
        "patient_id": known.patient_id,
        "fold": None,
        "role": role,
    }


def _audit_rows(fields: Counter[str], file_id: str, profile: Profile) -> Iterator[Row]:
    """What was done to each identifying field, and in how many members."""
    for name, count in sorted(fields.items()):
        action = "removed" if profile == "strict" and name in _STRICT_REMOVES else _ACTIONS[name]
        yield {"owner": file_id, "profile": profile, "tag": name, "action": action, "count": count}


STAGES: dict[str, Stage] = {
    "deid": Stage(
        name="deid",
        version=3,
        shape="each",
        over="files",
        reads=("headers",),
        adds=("instances", "documents", "labels", "splits", "audit"),
        function=deidentify,
    ),
    "deid.pixels": Stage(
        name="deid.pixels",
        version=3,
        shape="each",
        over="images",
        reads=("image:{image}",),
        adds=("pixel_texts",),
        function=redact,
        megabytes_per_megavoxel=24,
    ),
    "deid.deface": Stage(
        name="deid.deface",
        version=1,
        shape="each",
        over="images",
        reads=("image:{image}",),
        adds=("faces",),
        function=deface,
        megabytes_per_megavoxel=24,
    ),
}
