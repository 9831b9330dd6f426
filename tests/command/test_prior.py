"""The sleepers of a release, made anew by whoever has it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from night_files import MINUTES, WORDS
from random_teacher import of_sleep

from stimjax import batch, config, release
from stimjax.config.recipes import RECIPES
from stimjax.data import public
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.public import Recorded
from stimjax.disk.documents import Guarantee, Manifest
from stimjax.excite import anew, carriers
from stimjax.machine.versions import versions
from stimjax.prior import nights
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


@pytest.fixture
def free(tmp_path: Path) -> Path:
    """Two recordings that anybody may have, the second of which nobody scored."""
    folder = tmp_path / "free"
    folder.mkdir()
    for seed, scored in ((1, [(60.0 * m, 60.0, WORDS[m % 2]) for m in range(MINUTES)]), (2, [])):
        values = np.random.default_rng(seed).integers(60, 101, 60 * MINUTES).astype(float)
        trace = Trace("SaO2", "%", 1, values, 0.0, 127.0, (0, 127))
        write_edf(folder / f"{seed}.edf", f"Q{seed}", [trace], scored)
    return folder


def kept(folder: Path, *numbers: int) -> tuple[Recorded, ...]:
    plan = nights.plan_of(nights.form_of(SPEC))
    made = [public.night(folder / f"{number}.edf", plan) for number in numbers]
    return tuple(Recorded(one.about, one) for one in made)


def test_public_recordings_give_their_windows_too_in_the_order_of_the_release(
    run, tmp_path: Path, free: Path
) -> None:
    recorded = kept(free, 2, 1)
    folder = written(tmp_path / "release", public=tuple(one.about for one in recorded))
    status, out, _ = run("prior", folder, "--out", tmp_path / "prior", "--public", free)
    assert status == 0 and out.endswith("windows of simulated sleepers and 2 public recordings\n")
    expected = carriers.scored(Known(PRIOR, recorded), SPEC)
    found = batch.load(tmp_path / "prior", "prior")
    np.testing.assert_array_equal(found.x, expected.x)
    assert len(expected) == len(carriers.scored(Known(PRIOR), SPEC)) + MINUTES
    card = (folder / "README.md").read_text()
    assert "2 public recordings" in card and "1.edf" not in card
    assert "1.edf" not in (folder / "manifest.json").read_text()


def test_without_them_it_says_what_is_missing(run, tmp_path: Path, free: Path) -> None:
    about = tuple(one.about for one in kept(free, 1, 2))
    folder = written(tmp_path / "release", public=about)
    _, out, _ = run("prior", folder, "--out", tmp_path / "prior")
    assert out.endswith("alone; it also depends on 2 public recordings (--public)\n")
    found = batch.load(tmp_path / "prior", "prior")
    np.testing.assert_array_equal(found.x, carriers.scored(Known(PRIOR), SPEC).x)


def test_other_recordings_are_refused(refused, tmp_path: Path, free: Path) -> None:
    one, two = kept(free, 1, 2)
    words = ("--out", tmp_path / "prior", "--public")
    both = written(tmp_path / "both", public=(one.about, two.about))
    assert "of which 1 are not here" in refused("prior", both, *words, free / "1.edf")
    first = written(tmp_path / "first", public=(one.about,))
    assert "and 1 others are" in refused("prior", first, *words, free)
    none = written(tmp_path / "none")
    assert "depends on no public recordings" in refused("prior", none, *words, free)
    unscored = dataclasses.replace(one.about, windows=0)  # the scoring beside it is gone
    other = written(tmp_path / "other", public=(unscored,))
    assert "1 are not here" in refused("prior", other, *words, free / "1.edf")


def test_an_audit_is_told_of_other_recordings_and_of_other_sleepers(free: Path) -> None:
    one, two = kept(free, 1, 2)
    manifest = dataclasses.replace(MANIFEST, public=(one.about,))
    assert anew.others(manifest, SPEC, (one,)) == []
    for recorded in ((), (two,), (one, two)):
        (why,) = anew.others(manifest, SPEC, recorded)
        assert "depends on 1 public recordings" in why
    aged = dataclasses.replace(manifest, versions=versions() | {"simulator": "0"})
    assert len(anew.others(aged, SPEC, ())) == 2
    assert anew.others(dataclasses.replace(aged, prior=None, public=()), SPEC, ()) == []
    assert anew.others(MANIFEST, SPEC, (one,)) == []  # a release that depends on none
