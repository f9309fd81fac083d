"""Schemas of every table in a lake. A table is a `pyarrow.Table` with one of these schemas; there is no wrapper.

Every table that stages fill has `owner`: the id of the item whose work made the row, so that doing an item again
replaces its rows in one commit, and `radlake trace` finds the way back. Columns marked wall-clock are the only ones
that may differ between two equal runs.
"""

from __future__ import annotations

import pyarrow as pa

WALL_CLOCK = b"wall_clock"


def _clock(name: str, kind: pa.DataType) -> pa.Field:
    """A column that depends on the clock or the machine."""
    return pa.field(name, kind, metadata={WALL_CLOCK: b"1"})


def _schema(**columns: pa.DataType | pa.Field) -> pa.Schema:
    """Schema from keyword arguments; a ready-made field keeps its metadata."""
    return pa.schema([c if isinstance(c, pa.Field) else pa.field(n, c) for n, c in columns.items()])


_S, _I, _F, _B = pa.string(), pa.int64(), pa.float64(), pa.bool_()

FILES = _schema(
    file_id=_S,
    bytes=_I,
    format=_S,
    status=_S,  # done, quarantined, ignored
    fault_stage=_S,
    fault_code=_S,
    fault_message=_S,
    fault_hint=_S,
)

# One row per member of a file that a reader understood. Ids are keyed pseudonyms; strings come from closed lists.
INSTANCES = _schema(
    owner=_S,
    file_id=_S,
    member=_I,
    format=_S,
    role=_S,
    instance_id=_S,
    series_id=_S,
    study_id=_S,
    patient_id=_S,
    accession_id=_S,
    frame_of_reference_id=_S,
    referenced_series_id=_S,
    modality=_S,  # DICOM defined term (CT, MR, US, ...); for other formats the nearest one or OT
    kind=_S,  # radlake.core.image.Kind
    unit=_S,  # of the values after loading: radlake.core.image.Unit
    sop_class=_S,  # UID, only when registered in the standard
    transfer_syntax=_S,  # UID, only when registered in the standard
    rows=_I,
    columns=_I,
    frames=_I,
    slices=_I,  # of a volume format; null for DICOM
    samples=_I,
    photometric=_S,
    bits_allocated=_I,
    bits_stored=_I,
    pixel_signed=_B,
    float_pixels=_B,
    spacing_y=_F,
    spacing_x=_F,
    spacing_z=_F,  # only where the file itself states the distance between slices (volume formats)
    spacing_source=_S,  # pixel_spacing, imager, region, header
    position=pa.list_(_F),  # x, y, z of the first sample, LPS mm
    orientation=pa.list_(_F),  # DICOM order: direction of increasing column index (x, y, z), then of row index
    slice_direction=pa.list_(_F),  # volume formats: x, y, z of the third axis
    frame_positions=pa.list_(_F),  # 3 per frame
    frame_orientations=pa.list_(_F),  # 6 per frame, only where frames differ
    frame_stack=pa.list_(_I),  # per frame: equal numbers = same orientation, echo, phase, b-value
    slice_thickness=_F,
    gantry_tilt=_F,
    instance_number=_I,
    acquisition_number=_I,
    echo_time=_F,
    temporal_position=_I,
    b_value=_F,
    trigger_time=_F,
    localizer=_B,
    image_type=_S,  # defined terms only, joined by backslash
    mosaic_tiles=_I,  # Siemens mosaic: tiles in one picture
    rescale_slope=_F,
    rescale_intercept=_F,
    has_modality_lut=_B,
    suv_factor=_F,  # multiply rescaled Bq/mL by this for SUVbw
    window_center=_F,
    window_width=_F,
    padding_value=_F,
    burned_in=_S,  # YES, NO or null
    pixel_text=_S,  # clean, unsure or unchecked: radlake.deid.pixel_text
    body_part=_S,
    laterality=_S,
    view=_S,
    manufacturer=_S,
    field_strength=_F,
    kvp=_F,
    contrast=_B,
    sex=_S,
    age_years=_F,  # 90 stands for 90 and more
    weight_kg=_F,
    study_day=_S,  # shifted date, ISO
    rois=pa.list_(_S),  # cleaned names of the regions in a SEG, RTSTRUCT or label file, in file order
    pixel_bytes=_I,  # of the decoded member, estimated from the header
    stored_bytes=_I,
    site_id=_S,  # keyed name of the institution: which images come from one house; null under the profile "strict"
    device_id=_S,  # keyed maker and number of the scanner
)

FILE_IMAGES = _schema(
    owner=_S,
    file_id=_S,
    member=_I,
    image_id=_S,
    ordinal=_I,  # place of this member in the image, from 0
    frames=pa.list_(_I),  # frames used, in order; null: all
)

IMAGES = _schema(
    owner=_S,
    image_id=_S,
    series_id=_S,
    study_id=_S,
    patient_id=_S,
    modality=_S,
    kind=_S,
    unit=_S,
    format=_S,
    rows=_I,
    columns=_I,
    slices=_I,
    frames=_I,  # time points
    channels=_I,
    spacing_z=_F,
    spacing_y=_F,
    spacing_x=_F,
    calibrated=_B,
    spacing_source=_S,
    origin=pa.list_(_F),
    direction=pa.list_(_F),  # 3 per spatial axis, rows in array order
    body_part=_S,
    laterality=_S,
    view=_S,
    photometric=_S,
    bits_stored=_I,
    pixel_text=_S,  # clean, unsure or unchecked by its header; pixel_texts has what reading found
    estimated_bytes=_I,
)

SERIES = _schema(
    owner=_S,
    series_id=_S,
    study_id=_S,
    patient_id=_S,
    patient_known=_B,  # false: unknown or a constant such as ANONYMOUS; no claims grouped by patient
    modality=_S,
    images=_I,
    instances=_I,
    body_part=_S,
    manufacturer=_S,
    sex=_S,
    age_years=_F,
    study_day=_S,
)

MASKS = _schema(
    owner=_S,
    mask_id=_S,
    image_id=_S,
    file_id=_S,  # the SEG, RTSTRUCT or label file; null for automatic masks
    source=_S,
    roi=_S,
    voxels=_I,
    volume_mm3=_F,  # area in mm2 for two axes; null where spacing is unknown
    object=_S,
)

QUALITY = _schema(owner=_S, image_id=_S, series_id=_S, check=_S, level=_S, message=_S, fix=_S, value=_F)

# What reading the pixels found; where a row is missing, images.pixel_text says what the header lets expect.
PIXEL_TEXTS = _schema(owner=_S, image_id=_S, state=_S, boxes=_I)  # clean, redacted, unsure; boxes blanked

FACES = _schema(owner=_S, image_id=_S, state=_S)  # none: no head that shows one; removed

PREVIEWS = _schema(owner=_S, image_id=_S, object=_S, width=_I, height=_I)

# percentiles of an image inside a mask, and the scale to which those of a cohort lead (Nyul)
LANDMARKS = _schema(owner=_S, image_id=_S, cohort=_S, percentiles=pa.list_(_F), values=pa.list_(_F))
SCALES = _schema(cohort=_S, images=_I, percentiles=pa.list_(_F), scale=pa.list_(_F), object=_S)

FINGERPRINTS = _schema(
    owner=_S,
    image_id=_S,
    patient_id=_S,
    series_id=_S,
    digest=_S,  # of values, shape and unit: equal for exact duplicates
    hashes=pa.list_(_I),  # perceptual, several orientations and crops
    thumb=pa.binary(),  # small standardised picture for the correlation test
)

DUPLICATES = _schema(image_id=_S, cluster_id=_S, kind=_S, distance=_F, patient_id=_S, series_id=_S, across_patients=_B)

FEATURES = _schema(
    owner=_S,
    image_id=_S,
    mask_id=_S,
    family=_S,
    aggregation=_S,  # of texture: 3D_comb, 2D ...
    code=_S,  # IBSI
    name=_S,
    value=_F,
    unit=_S,
    reason=_S,  # why value is null
    settings_id=_S,
)

# Features of regions under small changes of their masks, and what repeated measurements say of each feature.
REPEATS = _schema(owner=_S, image_id=_S, mask_id=_S, change=_S, family=_S, name=_S, value=_F, unit=_S, settings_id=_S)
STABILITY = _schema(
    owner=_S,
    kind=_S,  # perturbed, retest
    settings_id=_S,
    family=_S,
    name=_S,
    unit=_S,
    icc=_F,  # ICC(2,1), with its 95 % interval
    low=_F,
    high=_F,
    subjects=_I,
    measurements=_I,
    reliable=_B,
    cluster=_I,  # of reliable features that say nearly the same
    kept=_B,  # the first of its cluster
)

DOCUMENTS = _schema(owner=_S, file_id=_S, patient_id=_S, study_id=_S, source=_S, path=_S, name=_S, value=_S, unit=_S)
CLINICAL = _schema(owner=_S, patient_id=_S, study_id=_S, source=_S, name=_S, value=_S, number=_F, unit=_S)
LABELS = _schema(owner=_S, unit=_S, unit_id=_S, patient_id=_S, target=_S, value=_F, text=_S)
SPLITS = _schema(owner=_S, split_id=_S, unit=_S, unit_id=_S, patient_id=_S, fold=_I, role=_S)
PREDICTIONS = _schema(
    owner=_S,
    prediction_id=_S,
    model_id=_S,
    unit=_S,
    unit_id=_S,
    patient_id=_S,
    target=_S,
    split_id=_S,
    repeat=_I,
    fold=_I,
    probability=_F,
    value=_F,
    low=_F,
    high=_F,
)
SCORES = _schema(
    owner=_S, model_id=_S, target=_S, stratum=_S, metric=_S, value=_F, low=_F, high=_F, cases=_I, patients=_I, note=_S
)
AGREEMENT = _schema(
    owner=_S,
    image_id=_S,
    mask_id=_S,
    reference_id=_S,
    dice=_F,
    jaccard=_F,
    hausdorff_mm=_F,
    hausdorff95_mm=_F,
    mean_surface_distance_mm=_F,
    volume_difference_mm3=_F,
)
MODELS = _schema(
    owner=_S, model_id=_S, name=_S, target=_S, inputs=_S, settings=_S, seconds=_clock("seconds", pa.float64())
)
CURVES = _schema(owner=_S, model_id=_S, target=_S, stratum=_S, curve=_S, x=_F, y=_F)

FAULTS_TABLE = _schema(
    owner=_S,
    unit=_S,  # file, series, image
    unit_id=_S,
    file_id=_S,  # null: every file of the unit
    stage=_S,
    code=_S,
    message=_S,
    hint=_S,
    ignored=_B,
)
WORK = _schema(
    owner=_S,
    unit=_S,
    chain_key=_S,
    input_key=_S,
    run_id=_clock("run_id", pa.string()),
    seconds=_clock("seconds", pa.float64()),
)
CHAINS = _schema(chain_key=_S, unit=_S, steps=_S, pipeline=_S)  # steps: JSON of names, versions and parameters
RUNS = _schema(
    run_id=_clock("run_id", pa.string()),
    started=_clock("started", pa.string()),
    ended=_clock("ended", pa.string()),
    status=_clock("status", pa.string()),
    engine=_clock("engine", pa.string()),
    workers=_clock("workers", pa.int64()),
    cpu_seconds=_clock("cpu_seconds", pa.float64()),
    wall_seconds=_clock("wall_seconds", pa.float64()),
    peak_mib=_clock("peak_mib", pa.float64()),
    pipeline=_S,
    profile=_S,
    key_fingerprint=_S,
    versions=_S,
)
AUDIT = _schema(owner=_S, profile=_S, tag=_S, action=_S, count=_I)

# private/: what links back to people and places; never released
SOURCES = _schema(
    owner=_S,
    file_id=_S,
    uri=_S,
    format=_S,  # name of the reader that knew the file, also where it then failed
    bytes=_I,
    mtime_ns=_I,
    input_key=_S,
    members=pa.list_(_S),  # members: raw names
)

TABLES: dict[str, pa.Schema] = {
    "files": FILES,
    "instances": INSTANCES,
    "file_images": FILE_IMAGES,
    "images": IMAGES,
    "series": SERIES,
    "masks": MASKS,
    "agreement": AGREEMENT,
    "quality": QUALITY,
    "pixel_texts": PIXEL_TEXTS,
    "faces": FACES,
    "previews": PREVIEWS,
    "landmarks": LANDMARKS,
    "scales": SCALES,
    "fingerprints": FINGERPRINTS,
    "duplicates": DUPLICATES,
    "features": FEATURES,
    "repeats": REPEATS,
    "stability": STABILITY,
    "documents": DOCUMENTS,
    "clinical": CLINICAL,
    "labels": LABELS,
    "splits": SPLITS,
    "predictions": PREDICTIONS,
    "scores": SCORES,
    "curves": CURVES,
    "models": MODELS,
    "faults": FAULTS_TABLE,
    "work": WORK,
    "chains": CHAINS,
    "runs": RUNS,
    "audit": AUDIT,
}
PRIVATE_TABLES: dict[str, pa.Schema] = {"sources": SOURCES}


def schema_of(table: str) -> pa.Schema:
    """Schema of a table by name, private ones included."""
    return TABLES[table] if table in TABLES else PRIVATE_TABLES[table]


def to_table(name: str, rows: list[dict[str, object]]) -> pa.Table:
    """Rows as a table with the named schema.

    Raises
    ------
    KeyError
        When a row holds a column that the schema lacks, naming both.
    """
    schema = schema_of(name)
    known = set(schema.names)
    for row in rows:
        if not row.keys() <= known:
            raise KeyError(f"table {name!r} has no column {sorted(row.keys() - known)[0]!r}")
    return pa.Table.from_pylist(rows, schema=schema)


def stable_columns(name: str) -> list[str]:
    """Columns of a table that must be equal between two equal runs."""
    return [f.name for f in schema_of(name) if not (f.metadata and WALL_CLOCK in f.metadata)]
