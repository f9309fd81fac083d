"""What the name of a file says: that it is a label map and of which image, and which kind of image it is.

Formats without identifiers leave only names. The rules here are the conventions of public data sets (Decathlon,
nnU-Net, PyRadiomics, IBSI, CHASE_DB1 ...); they look at names of files, never into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import PurePath

from radlake.core.image import Kind
from radlake.formats.source import Source

_LABEL_WORDS = frozenset({
    "mask", "masks", "seg", "segs", "segm", "segmentation", "segmentations", "label", "labels", "labelmap", "lbl",
    "gt", "groundtruth", "gtv", "ctv", "ptv", "roi", "rois", "contour", "contours", "annotation", "annotations",
    "manual1", "manual2", "1stho", "2ndho",
})  # fmt: skip
_LABEL_FOLDERS = _LABEL_WORDS | {"labelstr", "labelsts", "ground_truth", "groundtruths"}
_IMAGE_FOLDERS = ("images", "image", "imagesTr", "imagesTs", "Images", "imgs", "img", "data", "scans", "volumes", ".")
_IMAGE_WORDS = ("image", "Image", "img", "IMG")
_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
_FOLDERS_READ = 3  # modality, then "nifti" or "dicom", then "images" is as deep as public sets put it
_LISTED = 512  # a folder with more files is asked by name only: listing it for every file would cost its square
_WORDS_OF_KIND: dict[Kind, tuple[str, ...]] = {
    "ct": ("ct", "cta", "cbct", "ldct"),
    "mr": ("mr", "mri", "t1", "t1w", "t1ce", "t2", "t2w", "flair", "dwi", "adc", "swi", "bold", "epi", "mprage"),
    "pet": ("pet", "suv"),
    "us": ("us", "ultrasound", "sonography"),
    "xray": ("cxr", "xray", "radiograph", "mammo", "mammography"),
    "optical": ("fundus", "retina", "retinal", "oct", "endoscopy", "dermoscopy", "histology"),
}  # fmt: skip
_KINDS: dict[str, Kind] = {word: kind for kind, listed in _WORDS_OF_KIND.items() for word in listed}
_MODALITIES: dict[Kind, str] = {"ct": "CT", "mr": "MR", "pet": "PT", "us": "US"}


def words(text: str) -> list[str]:
    """Lower-case words of a file or folder name.

    Examples
    --------
    >>> words("BraTS-001_Seg.v2")
    ['brats', '001', 'seg', 'v2']
    """
    return [w for w in re.split(r"[^0-9a-z]+", text.lower()) if w]


def kind_of(source: Source) -> Kind:
    """Kind of image that the names of the file and of the folders just above it tell; "other" when they do not.

    Examples
    --------
    >>> kind_of(Source("study/us_nerve/images/0001.png")), kind_of(Source("a/b/scan.nii"))
    ('us', 'other')
    """
    path = PurePath(source.member_name if source.member_name is not None else source.uri)
    for name in (_stem(source.name), *(p.name for p in list(path.parents)[:_FOLDERS_READ])):
        found = {_KINDS[w] for w in words(name) if w in _KINDS}
        if len(found) == 1:
            return found.pop()
    return "other"


def modality_of(kind: Kind) -> str:
    """DICOM modality nearest to a kind that only a name tells."""
    return _MODALITIES.get(kind, "OT")


def referenced_by(source: Source) -> tuple[bool, Source | None]:
    """Whether the name says label map, and the image beside it that the name belongs to.

    Looked for in this order: the same name in the folder of images beside the folder of labels; that folder's only
    image; the name without the word (or with "image" in its place) in the same folder; the only image there whose
    name has every other word.
    """
    stem = _stem(source.name)
    in_folder = _folder(source).lower() in _LABEL_FOLDERS
    in_name = any(w in _LABEL_WORDS for w in words(stem))
    if not (in_folder or in_name):
        return False, None
    for candidate in _candidates(stem, in_folder=in_folder, in_name=in_name):
        image = source.sibling(candidate)
        if image is not None and image != source:
            return True, image
    return True, (_only_image(source) if in_folder else None) or (_by_words(source, stem) if in_name else None)


def _stem(name: str) -> str:
    """Name without the suffix of a known format."""
    lower = name.lower()
    return next((name[: -len(s)] for s in _SUFFIXES if lower.endswith(s)), PurePath(name).stem)


def _folder(source: Source) -> str:
    """Name of the folder that the file lies in."""
    return PurePath(source.member_name if source.member_name is not None else source.uri).parent.name


def _candidates(stem: str, *, in_folder: bool, in_name: bool) -> Iterator[str]:
    """Relative names that the image may have, most likely first."""
    bare = _without_words(stem) if in_name else []
    if in_folder:
        # nnU-Net numbers the channels of an image: case_0000.nii.gz belongs to the label map case.nii.gz.
        for folder, name in product(_IMAGE_FOLDERS, [stem, f"{stem}_0000", *bare]):
            yield from (f"../{folder}/{name}{s}" for s in _SUFFIXES)
    for name in bare:
        yield from (f"{name}{s}" for s in _SUFFIXES)


def _without_words(stem: str) -> list[str]:
    """The stem with its label word left out, and with a word for image in its place."""
    pattern = re.compile(
        rf"(?P<before>[^0-9A-Za-z]?)(?<![0-9A-Za-z])(?:{'|'.join(_LABEL_WORDS)})(?![0-9A-Za-z])", re.IGNORECASE
    )
    bare = pattern.sub("", stem).strip(" _-.")
    replaced = [pattern.sub(lambda m, w=word: m["before"] + w, stem) for word in _IMAGE_WORDS]  # type: ignore[misc]
    return [name for name in (bare, *replaced) if name]


def _images_in(source: Source, folder: str) -> list[str]:
    """Names of the files in a folder that have an image's suffix and no label's name; none in a crowded folder."""
    names = source.names_in(folder, limit=_LISTED + 1)
    if len(names) > _LISTED:
        return []
    return [n for n in names if n.lower().endswith(_SUFFIXES) and not any(w in _LABEL_WORDS for w in words(_stem(n)))]


def _only_image(source: Source) -> Source | None:
    """The one image in the folder of images beside the folder of labels."""
    for folder in _IMAGE_FOLDERS:
        names = _images_in(source, f"../{folder}")
        if len(names) == 1:
            return source.sibling(f"../{folder}/{names[0]}")
    return None


def _by_words(source: Source, stem: str) -> Source | None:
    """The one image in the same folder whose name has every word of this one but the label word."""
    wanted = {w for w in words(stem) if w not in _LABEL_WORDS}
    if not wanted:
        return None
    names = [n for n in _images_in(source, ".") if wanted <= set(words(_stem(n)))]
    return source.sibling(names[0]) if len(names) == 1 else None
