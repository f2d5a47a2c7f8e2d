"""What `benchmarks/fuzz.py` found, one test each: bytes that once gave a traceback are refused in words."""

from __future__ import annotations

import pytest

import acu_nof1 as acu
from acu_nof1.errors import UnreadableFileError


def test_a_row_of_titles_that_only_looks_filled(tmp_path):
    path = tmp_path / "diary.tsv"
    path.write_bytes("\t\t\ufeff \t\nAnn−5".encode())
    with pytest.raises(UnreadableFileError, match="row 1 should hold the titles and is blank"):
        acu.read_diary(path, outcomes=[acu.OUTCOMES["nrs_pain"]])
