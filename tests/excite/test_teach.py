"""A teacher is finished: what `teach` returns, shards are made with as it is."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from random_teacher import of_sleep, recorded, white

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.errors import StimjaxError
from stimjax.excite import teach as teach_module
from stimjax.excite.shards import shards
from stimjax.excite.sources import generic
from stimjax.excite.teach import teach
from stimjax.learn import candidates, ledger, lower_bound, teacher
from stimjax.learn.ledger import Ledger
from stimjax.learn.teacher import Teacher
from stimjax.machine.progress import Reporter
from stimjax.prior.known import Known

SPEC = Spec(
    shape=(24, 2),
    classes=("W", "N2", "R"),
    channels=(Channel("EEG", "uV", low=-6.0, high=6.0), Channel("SpO2", "%", low=-6.0, high=6.0)),
    rate=1.0,
    label_seconds=24.0,
)
SETTINGS = config.Teacher(
    networks=("mlp",), candidates=1, critic="mlp", fit=config.Fit(steps=60, every=20, batch=32)
)


def windows(subjects: int, first: int) -> Batch:
    """Nights of 60 windows, one subject after the other, each with a level of its own."""
    rng = np.random.default_rng(first)
    label, subject = rng.integers(0, 3, 60 * subjects), np.repeat(np.arange(subjects), 60)
    x = rng.normal(size=(len(label), *SPEC.shape)) + label[:, None, None] - 1
    x += rng.normal(size=(subjects, 1, 2))[subject]
    y = batch.one_hot(label, SPEC)
    return batch.make(np.clip(x, -6, 6), y, SPEC, subject=first + subject)


TRAIN, VALIDATION = windows(5, 0), windows(2, 100)


class Stages(Reporter):
    """Keeps the names of stages."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def stage(self, name: str) -> None:
        self.names.append(name)


@pytest.fixture(scope="module")
def taught() -> tuple[Teacher, list[str]]:
    stages: list[str] = []
    return teach(TRAIN, VALIDATION, SETTINGS, reporter=Stages(stages)), stages


def made(teacher: Teacher, settings: config.Synthesis) -> Batch:
    return batch.concatenate([shard.stimuli for shard in shards(teacher, settings)])


def test_is_whole_and_stays_so_on_disk(taught: tuple[Teacher, list[str]], tmp_path: Path) -> None:
    found, stages = taught
    assert stages == ["training the teacher", "training the identity critic"]
    assert found.critic is not None and found.critic.subjects == 5
    assert found.statistics and found.privacy is None
    teacher.save(found, tmp_path)
    assert teacher.load(tmp_path).digest == found.digest


@pytest.mark.parametrize("inhibit", [0.0, 0.5])
def test_a_method_of_statistics_accepts_it(
    taught: tuple[Teacher, list[str]], inhibit: float
) -> None:
    settings = config.Synthesis("mixture", 60, shard=60, inhibit=inhibit, seed=0)
    stimuli = batch.check(made(taught[0], settings), "shards")
    assert len(stimuli) == 60
    critic = taught[0].critic
    assert critic is not None
    if inhibit:
        shares = jax.nn.softmax(critic.logits(critic.params, jnp.asarray(stimuli.x)))
        assert shares.max() <= critic.bound(inhibit) + 1e-5


def test_asked_for_no_critic_it_has_none() -> None:
    stages: list[str] = []
    settings = dataclasses.replace(SETTINGS, critic="none")
    found = teach(TRAIN, VALIDATION, settings, reporter=Stages(stages))
    assert found.critic is None and stages == ["training the teacher"]


@pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated")
def test_guaranteed_teacher_holds_what_was_paid_for_and_probes() -> None:
    pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
    few = {"steps": 3, "batch": 3, "windows": 4, "networks": ("mlp",)}
    private = config.Dp(epsilon=8.0, delta=1e-2, numbers="all", **few)
    settings = dataclasses.replace(SETTINGS, dp=private)
    with pytest.raises(StimjaxError, match=r"nobody simulates .*--teacher\.prior\.first 0"):
        teach(TRAIN, VALIDATION, settings)
    found = teach(TRAIN, VALIDATION, dataclasses.replace(settings, prior=config.NO_PRIOR))
    assert found.privacy is not None and found.critic is None
    assert set(found.statistics) == {ledger.PRIOR} and found.privacy.audited is None
    stimuli = made(found, config.Synthesis(method="probe", count=60, shard=60, seed=0))
    assert len(batch.check(stimuli, "shards")) == 60


def test_asked_for_canaries_it_says_what_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = ledger.Ledger("subject", 2.0, 1e-5, (ledger.Expense("steps", 1.0),))
    bare, stages = Teacher(("mlp",), {}, TRAIN.spec, privacy=spent), list[str]()
    monkeypatch.setattr(candidates, "train", lambda *given, **named: bare)
    tried = (np.arange(400.0), np.arange(400) > 220)
    monkeypatch.setattr(lower_bound, "scores", lambda *given, **named: tried)
    private = config.Dp(epsilon=5.0, canaries=400)
    asked = dataclasses.replace(SETTINGS, dp=private, prior=config.NO_PRIOR)
    with pytest.raises(StimjaxError, match="does not keep its guarantee of epsilon 2"):
        teach(TRAIN, VALIDATION, asked, reporter=Stages(stages))
    assert stages == ["training the teacher", "auditing the guarantee"]
    bare = dataclasses.replace(bare, privacy=dataclasses.replace(spent, epsilon=50.0))
    found = teach(TRAIN, VALIDATION, asked).privacy
    assert found is not None and found.audited is not None and found.audited.canaries == 400
    assert dataclasses.replace(found, audited=None) == bare.privacy


def test_it_learns_the_prior_beside_its_own_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    given, measured = [], []
    minutes = dataclasses.replace(
        SPEC, shape=(60, 2), classes=("normal", "apnea"), label_seconds=60.0
    )
    rng = np.random.default_rng(0)
    y = batch.one_hot(np.arange(90) % 2, minutes)
    own = batch.make(rng.normal(size=(90, 60, 2)), y, minutes, subject=np.arange(90) // 9)

    def train(windows: Batch, *rest: object, **more: object) -> Teacher:
        given.append(windows)
        return of_sleep()

    def statistics(windows: Batch, labeler: object) -> dict[str, np.ndarray]:
        measured.append(windows)
        return {}

    monkeypatch.setattr(teach_module.candidates, "train", train)
    monkeypatch.setattr(teach_module.methods, "measure", statistics)
    monkeypatch.setattr(generic, "make", white)
    prior = config.Prior(part=0.4, sleepers=2, hours=0.5)
    more = recorded(minutes, seed=40)
    settings = dataclasses.replace(SETTINGS, critic="none", prior=prior)
    found = teach(own, own, settings, recorded=(more,))
    assert found.prior == Known(dataclasses.replace(prior, first=0), (more,))
    assert (given[0].x[90:] > 30).any()  # some of them are of the recording
    np.testing.assert_array_equal(given[0].x[:90], own.x)
    assert len(given[0]) == 150 and (given[0].subject[90:] == batch.NOBODY).all()
    assert measured == [own]  # statistics are of the private windows alone


@pytest.mark.parametrize(("epsilon", "first", "started"), [(5.0, 2, True), (5.0, 0, False)])
def test_networks_under_a_guarantee_know_the_prior_first_and_no_other(
    monkeypatch: pytest.MonkeyPatch, epsilon: float, first: int, started: bool
) -> None:
    seen = []

    def train(windows: Batch, *rest: object, start: object, **more: object) -> Teacher:
        seen.append((windows, start))
        return dataclasses.replace(of_sleep(), privacy=Ledger("subject", epsilon, 1e-5, ()))

    monkeypatch.setattr(teach_module.candidates, "train", train)
    monkeypatch.setattr(teach_module.carriers, "taught", lambda prior, spec: "start")
    prior = config.Prior(part=0.0, first=first)
    settings = dataclasses.replace(SETTINGS, prior=prior, dp=config.Dp(epsilon=epsilon))
    assert teach(TRAIN, VALIDATION, settings).prior.settings == prior
    assert seen[0][0] is TRAIN and seen[0][1] == ("start" if started else None)


def test_where_nobody_has_such_windows_a_teacher_goes_without() -> None:
    known = teach_module.learned_from(SETTINGS, TRAIN)
    assert known.settings == dataclasses.replace(config.Prior(), part=0.0, first=0)
