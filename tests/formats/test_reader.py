from __future__ import annotations

import pickle

import pytest

from radlake.formats.reader import Lazy


def test_a_lazy_function_is_imported_at_its_call_and_passes_options_on() -> None:
    lazy = Lazy("json", "dumps")
    assert lazy({"a": 1}, indent=None) == '{"a": 1}'
    assert pickle.loads(pickle.dumps(lazy)) == lazy


def test_a_lazy_function_that_does_not_exist_is_named() -> None:
    with pytest.raises(AttributeError, match="absent"):
        Lazy("json", "absent")()
