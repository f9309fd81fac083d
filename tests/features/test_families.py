"""Which families are measured when."""

from __future__ import annotations

import pytest

from radlake.features.families import FAMILIES, chosen_families, families_on, family
from radlake.features.filtered import Filter
from radlake.features.subregions import Shell


def test_planes_have_families_of_their_own_by_default_only() -> None:
    more = {*chosen_families(None, "default", 2)} - {*chosen_families(None, "default", 3)}
    assert more == {"props", "moments", "fourier", "lbp", "hog"}
    assert chosen_families(None, "ibsi-a", 2) == chosen_families(None, "ibsi-a", 3)
    assert chosen_families(["props"], "ibsi-a", 3) == ("props",)


def test_a_view_changes_some_families() -> None:
    every = tuple(FAMILIES)
    assert "shape" not in families_on(Filter("mean size_vox=3"), every)
    assert families_on(Shell(0, 1), every) == ["fraction", "intensity", "histogram", "ivh"]
    assert families_on(Shell(0, 1), ["shape"]) == ["fraction"]
    assert families_on(None, every) == [*every]


def test_an_unknown_family_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'glmc'; known: shape, intensity"):
        family("glmc")
