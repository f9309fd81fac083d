"""Settle: one row in `files` for every input, from what the chains left behind."""

from __future__ import annotations

from radlake.core.fault import FAULTS
from radlake.core.schema import FILES
from radlake.lake.store import Lake

# A file with several members is set aside when all of them are; one fault among many is shown on a row that is done.
_FILES = """
WITH member_faults AS (
    SELECT i.file_id, i.member, min_by(f, f.stage || f.code || f.unit_id) AS fault
    FROM instances i
    LEFT JOIN file_images p ON p.file_id = i.file_id AND p.member = i.member
    JOIN faults f ON (f.unit = 'series' AND f.unit_id = i.series_id AND (f.file_id IS NULL OR f.file_id = i.file_id))
                  OR (f.unit = 'image' AND f.unit_id = p.image_id AND f.file_id IS NULL)
                  OR (f.unit = 'member' AND f.unit_id = i.file_id || '#' || i.member)
    WHERE i.role = 'image'
    GROUP BY i.file_id, i.member
), unreferenced AS (
    SELECT i.file_id, i.member FROM instances i
    WHERE i.role IN ('segmentation', 'structures', 'label')
      AND NOT EXISTS (SELECT 1 FROM images m WHERE m.series_id = i.referenced_series_id)
), members AS (
    SELECT i.file_id, count(*) AS members,
           count(m.fault) + count(u.file_id) AS bad, min(m.fault) AS fault, count(u.file_id) AS lone
    FROM instances i
    LEFT JOIN member_faults m ON m.file_id = i.file_id AND m.member = i.member
    LEFT JOIN unreferenced u ON u.file_id = i.file_id AND u.member = i.member
    GROUP BY i.file_id
), inside AS (
    SELECT file_id, min_by(f, f.stage || f.code || f.unit_id) AS fault
    FROM faults f WHERE unit = 'member' GROUP BY file_id
), direct AS (
    SELECT file_id, min_by(f, f.stage || f.code || f.unit_id) AS fault
    FROM faults f WHERE file_id IS NOT NULL AND unit = 'file' GROUP BY file_id
), joined AS (
    SELECT s.file_id, s.bytes, s.format,
           d.fault AS direct, coalesce(m.fault, n.fault) AS fault,
           coalesce(m.bad, 0) AS bad, coalesce(m.members, 0) AS members, coalesce(m.lone, 0) AS lone
    FROM private.sources s LEFT JOIN members m USING (file_id) LEFT JOIN direct d USING (file_id)
    LEFT JOIN inside n USING (file_id)
)
SELECT file_id, bytes, format,
    CASE WHEN direct.ignored THEN 'ignored'
         WHEN direct IS NOT NULL OR (bad > 0 AND bad >= members) THEN 'quarantined' ELSE 'done' END AS status,
    CASE WHEN direct IS NULL AND fault IS NULL AND lone > 0 THEN 'regions'
         ELSE coalesce(direct.stage, fault.stage) END AS fault_stage,
    CASE WHEN direct IS NULL AND fault IS NULL AND lone > 0 THEN 'reference_missing'
         ELSE coalesce(direct.code, fault.code) END AS fault_code,
    CASE WHEN direct IS NULL AND fault IS NULL AND lone > 0 THEN '{message}'
         ELSE coalesce(direct.message, fault.message) END AS fault_message,
    CASE WHEN direct IS NULL AND fault IS NULL AND lone > 0 THEN '{hint}'
         ELSE coalesce(direct.hint, fault.hint) END AS fault_hint
FROM joined ORDER BY file_id"""


def settle(lake: Lake) -> None:
    """Write `files`: done, quarantined or ignored, with the first fault of each."""
    rule = FAULTS["reference_missing"]
    table = lake.sql(_FILES.format(message=rule.message, hint=rule.hint))
    lake.replace("files", table.cast(FILES))
