from __future__ import annotations

import cv2
import numpy as np

from radlake.deid.contact_sheet import sheet


def test_planes_lie_beside_each_other_with_their_boxes() -> None:
    planes = [np.full((40, 60), n, np.uint16) for n in range(5)]
    page = cv2.imdecode(np.frombuffer(sheet(planes, [(4, 6, 20, 30)]), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert page.shape == (88, 264, 3)  # four in a row, gaps of eight pixels
    assert page[4, 6].tolist() == [255, 64, 0]
    assert page[48 + 4, 6].tolist() == [255, 64, 0]


def test_large_and_coloured_planes_are_made_smaller() -> None:
    page = cv2.imdecode(np.frombuffer(sheet([np.zeros((1000, 2000, 3), np.uint8)], []), np.uint8), cv2.IMREAD_COLOR)
    assert page.shape == (384, 768, 3)
