"""The sleepers of a release, made anew by whoever has it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from random_teacher import of_sleep

from stimjax import batch, config, release
from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import Guarantee, Manifest
from stimjax.excite import carriers
from stimjax.machine.versions import versions
from stimjax.prior.known import Known

PRIOR, SPEC = config.Prior(sleepers=2, hours=0.5), of_sleep().spec
MANIFEST = Manifest(
    count=4,
    method=config.Synthesis("public", recipe=RECIPES["public"]),
    classes=(2, 2),
    accepted=(2, 2),
    failed=(0, 0),
    hits=(2, 2),
    lane_steps=4,
    uses=(),
    privacy=Guarantee(),
    versions=versions(),
    prior=PRIOR,
)


def written(folder: Path, **changes: object) -> Path:
    folder.mkdir()
    made = batch.make(np.zeros((4, 60, 1)), batch.one_hot(np.arange(4) % 2, SPEC), SPEC)
    release.save_shard(folder, 0, made)
    release.finish(folder, SPEC, dataclasses.replace(MANIFEST, **changes))
    return folder


def test_it_writes_the_windows_that_the_release_depends_on(run, tmp_path: Path) -> None:
    folder = written(tmp_path / "release")
    status, out, _ = run("prior", folder, "--out", tmp_path / "prior")
    found, expected = batch.load(tmp_path / "prior", "prior"), carriers.scored(Known(PRIOR), SPEC)
    assert (status, out) == (
        0,
        f"{tmp_path}/prior: {len(expected)} windows of simulated sleepers\n",
    )
    assert found.spec == SPEC
    for field in batch.FIELDS:
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prior": None}, "depends on no simulated sleepers"),
        ({"versions": versions() | {"simulator": "0"}}, "are of version 0 of the simulator"),
    ],
    ids=["none", "another"],
)
def test_what_it_cannot_make_is_refused(refused, left, tmp_path: Path, changes, reason) -> None:
    folder = written(tmp_path / "release", **changes)
    message = refused("prior", folder, "--out", tmp_path / "prior")
    assert reason in message and message.startswith(str(folder))
    assert left() == ["release"]


def test_a_folder_that_is_no_release_is_refused(refused, tmp_path: Path) -> None:
    assert str(tmp_path) in refused("prior", tmp_path, "--out", tmp_path / "prior")
