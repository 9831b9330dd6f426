"""Recordings with nothing but a saturation, and EDF+ files of scoring beside them."""

from collections import Counter
from pathlib import Path

import pytest

from stimjax.data import reader

SCORING = {"signals": [], "seconds": "0", "reserved": "EDF+C", "stamps": ["0"]}
OWN = {"reserved": "EDF+C", "stamps": ["0"]}


@pytest.fixture
def night(raw_edf):
    """Write a recording of 150 minutes from 22:00 on 5 March 2020, and give its path."""
    fields = {"seconds": "9000", "date": "05.03.20"}

    def write(name="night.edf", annotations=(), **more) -> Path:
        own = {**OWN, "annotations": annotations} if annotations else {}
        return raw_edf(name, **{**fields, **own, **more})

    return write


@pytest.fixture
def scoring(raw_edf):
    """Write an EDF+ file of annotations only, of the same start, and give its path."""
    fields = {**SCORING, "date": "05.03.20"}
    return lambda name, *annotations, **more: raw_edf(
        name, **{**fields, **more}, annotations=annotations
    )


@pytest.fixture
def kinds():
    """How often each kind was scored in a recording."""
    return lambda path: dict(Counter(event.kind for event in reader.scored(path).events))
