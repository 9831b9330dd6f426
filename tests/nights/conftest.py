"""A night of saturation that is scored by a person and, by numbers of a generator, by a model."""

import dataclasses

import numpy as np
import pytest
from one_night import SPEC, saturation, write_night

from stimjax.batch import save_spec
from stimjax.data import like as likes
from stimjax.nights.night import ScoredNight


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> ScoredNight:
    folder = tmp_path_factory.mktemp("night")
    save_spec(SPEC, folder)
    like = likes.like(folder)
    path = write_night(folder / "a night.edf", saturation())
    prepared = likes.night(path, like)
    usable = prepared.why == ""
    apnea = np.random.default_rng(6).random(len(usable))
    probability = np.where(usable[:, None], np.stack([1 - apnea, apnea], axis=1), np.nan)
    return ScoredNight(
        name="a night",
        path=path,
        recording=prepared.recording,
        task="apnea",
        seconds=60.0,
        start=prepared.start,
        why=prepared.why,
        probability=probability,
        label=prepared.label,
        uncovered=usable & (np.arange(len(usable)) % 10 == 0),
        outside=False,
    )


@pytest.fixture(scope="session")
def staged(night: ScoredNight) -> ScoredNight:
    """The same night with stages for its minutes, as if they were epochs."""
    rng = np.random.default_rng(8)
    probability = rng.dirichlet(np.ones(5), len(night.start))
    probability[~night.usable] = np.nan
    label = rng.integers(0, 5, len(night.start))
    return dataclasses.replace(
        night, task="stages", seconds=30.0, probability=probability, label=label
    )
