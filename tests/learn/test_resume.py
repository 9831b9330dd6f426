import dataclasses
import stat

import jax
import numpy as np
import pytest

from stimjax import batch, config
from stimjax.errors import StimjaxError
from stimjax.learn import candidates, resume

FIT = config.Fit(steps=40, batch=16, every=10)
SETTINGS = config.Teacher(networks=("mlp",), candidates=2, fit=FIT)


class Interrupted(Exception):
    pass


def train(xor, out, identity=None, stop_at=None, settings=SETTINGS):
    """Train as the command does, interrupted when `stop_at` steps are done."""
    seen = []

    def progress(done, total):
        seen.append(done)
        if done == stop_at:
            raise Interrupted

    with resume.checkpoints(out, identity or {"a": 1}) as checkpoint:
        trained = candidates.train(
            xor[:200], xor[200:], settings, checkpoint=checkpoint, progress=progress
        )
    return trained, seen


def leaves(trained):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(trained.params)]


def test_an_interrupted_training_ends_with_the_same_bits(xor, tmp_path):
    whole, _ = train(xor, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(xor, tmp_path / "out", stop_at=20)
    kept = tmp_path / ".out.training"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert resume.has_checkpoint(kept / "pieces")
    resumed, seen = train(xor, tmp_path / "out")
    assert seen == [30, 40]
    for one, other in zip(leaves(whole), leaves(resumed), strict=True):
        assert one.tobytes() == other.tobytes()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # one family is enough for each day
def test_each_family_goes_on_where_it_stopped(xor, tmp_path):
    settings = dataclasses.replace(SETTINGS, networks=("mlp", "gru"))
    whole, seen = train(xor, tmp_path / "whole", settings=settings)
    assert seen == [10, 20, 30, 40, 50, 60, 70, 80]
    for stop in (20, 60):  # in the first, in the second
        with pytest.raises(Interrupted):
            train(xor, tmp_path / "out", stop_at=stop, settings=settings)
    assert resume.has_checkpoint(tmp_path / ".out.training" / "pieces")
    resumed, seen = train(xor, tmp_path / "out", settings=settings)
    assert seen == [70, 80]
    assert (whole.networks, whole.members) == (resumed.networks, resumed.members)
    for one, other in zip(leaves(whole), leaves(resumed), strict=True):
        assert one.tobytes() == other.tobytes()


def test_another_training_starts_afresh(xor, tmp_path):
    with pytest.raises(Interrupted):
        train(xor, tmp_path / "out", {"rate": 0.1, "sizes": (1, 2)}, stop_at=20)
    with pytest.raises(Interrupted):  # the same again goes on, tuples or not
        train(xor, tmp_path / "out", {"rate": 0.1, "sizes": [1, 2]}, stop_at=30)
    _, seen = train(xor, tmp_path / "out", {"rate": 0.2, "sizes": (1, 2)})
    assert seen == [10, 20, 30, 40]


def test_nothing_is_left_where_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(Interrupted), resume.checkpoints(tmp_path / "out", {}):
        raise Interrupted
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_note_starts_afresh(tmp_path):
    kept = tmp_path / ".out.training"
    (kept / "pieces" / "10").mkdir(parents=True)
    (kept / "identity.json").write_text("{")
    with resume.checkpoints(tmp_path / "out", {"a": 1}) as checkpoint:
        assert not resume.has_checkpoint(checkpoint)


def test_another_training_at_the_same_time_is_refused(tmp_path):
    with resume.checkpoints(tmp_path / "out", {"a": 1}) as checkpoint:
        (checkpoint / "10").mkdir()
        again = resume.checkpoints(tmp_path / "out", {"a": 2})
        with pytest.raises(StimjaxError, match="another command is at work there"), again:
            pass
        assert resume.has_checkpoint(checkpoint)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StimjaxError, match="cannot write here"),
        resume.checkpoints(tmp_path / "file" / "out", {}),
    ):
        pass


def test_identity_follows_windows_and_settings(xor, tmp_path):
    for part in ("train", "validation", "test"):
        batch.save(xor, tmp_path, f"{part}-0000")
    batch.save_spec(xor.spec, tmp_path)
    first = resume.identify(tmp_path, SETTINGS)
    assert first == resume.identify(tmp_path, SETTINGS)
    assert first != resume.identify(tmp_path, dataclasses.replace(SETTINGS, seed=1))
    batch.save(xor[:10], tmp_path, "test-0000")  # training never looks at the test part
    assert first == resume.identify(tmp_path, SETTINGS)
    batch.save(xor[:10], tmp_path, "validation-0000")
    assert first != resume.identify(tmp_path, SETTINGS)


def test_missing_windows_are_named(tmp_path):
    with pytest.raises(StimjaxError, match=r"spec\.json: is missing"):
        resume.identify(tmp_path, SETTINGS)
