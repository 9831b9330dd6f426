"""Pieces: made once, found again by their settings, refused where those differ."""

import pytest

from stimjax.errors import StimjaxError
from stimjax.experiments import rows


def test_a_piece_is_made_once(tmp_path):
    place, calls = tmp_path / "piece", []
    for _ in range(2):
        rows.once(place, "rate: 1\n", calls.append)
    assert len(calls) == 1
    assert (place / "config.yaml").read_text() == "rate: 1\n"
    assert place.stat().st_mode & 0o777 == 0o700
    with pytest.raises(StimjaxError, match="piece: was made with other settings; delete it"):
        rows.once(place, "rate: 2\n", calls.append)
    assert len(calls) == 1


def test_a_piece_that_fails_leaves_nothing(tmp_path):
    def fail(_):
        raise RuntimeError("no more light")

    with pytest.raises(RuntimeError):
        rows.once(tmp_path / "piece", "rate: 1\n", fail)
    assert not list(tmp_path.iterdir())


def test_digests_are_those_of_earlier_versions():
    assert rows.digest("rate: 1\n") == "3a27f6fa"
