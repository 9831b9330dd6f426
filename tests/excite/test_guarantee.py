"""What an epsilon forbids, and that each refusal is one line that says what to choose instead."""

import dataclasses

import pytest

from stimjax import batch, config
from stimjax.batch import Channel, Spec
from stimjax.config import settings
from stimjax.config.recipes import RECIPES, Terms
from stimjax.disk.documents import Cohort, Dealt, Made
from stimjax.errors import StimjaxError
from stimjax.excite import accept, guarantee, methods
from stimjax.excite.kind import Kind
from stimjax.excite.terms import TERMS
from stimjax.learn import ledger
from stimjax.learn.ledger import Expense, Ledger

PROBE = RECIPES["probe"]
SPENT = Ledger("subject", 4.0, 1e-5, (Expense("gradients", 2.0, 0.5, 100),))


def refusal(recipe, statistics=(ledger.PRIOR,)) -> str:
    with pytest.raises(StimjaxError) as error:
        guarantee.refuse_recipe(recipe, statistics)
    message = str(error.value)
    assert "\n" not in message and "choose" in message
    return message


@pytest.mark.parametrize("name", ["paper", "probe", "public"])
def test_methods_that_need_no_statistics_are_allowed(name):
    guarantee.refuse_recipe(RECIPES[name], (ledger.PRIOR,))


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"paper", "probe", "public"}))
def test_all_other_methods_are_refused(name):
    assert "--synthesis.method public" in refusal(RECIPES[name])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parametrization": "components"}, "parametrization components"),
        ({"targets": "histogram", "tries": 5}, "targets histogram"),
        ({"terms": Terms(features=1.0)}, "terms features"),
        ({"terms": Terms(features_global=1.0)}, "terms features_global"),
        ({"terms": Terms(moments=1.0)}, "terms moments"),
        ({"terms": Terms(embedding=1.0)}, "terms embedding"),
    ],
)
def test_each_part_that_needs_a_statistic_is_refused(change, said):
    assert refusal(dataclasses.replace(PROBE, **change)).startswith(said)


def test_terms_of_what_the_teacher_says_are_free():
    free = Terms(**dict.fromkeys((name for name, kind in TERMS.items() if kind.free), 1.0))
    assert free.cross_entropy and free.consistency
    guarantee.refuse_recipe(dataclasses.replace(PROBE, terms=free, tries=5), (ledger.PRIOR,))


def test_a_term_that_no_one_has_thought_about_is_refused():
    assert not Kind(lambda spec, statistics, recipe: None).free
    for name, kind in TERMS.items():
        if not kind.free:
            refusal(dataclasses.replace(PROBE, terms=Terms(**{name: 1.0})))


def test_what_is_free_measures_nothing():
    """Or a guarantee would let statistics through that nobody paid for."""
    for field, table in methods.PARTS.items():
        for name, part in table.items():
            assert not (part.free and part.needs), f"{field} {name}"


def test_the_frequency_of_the_classes_has_to_be_paid_for():
    assert "choose uniform" in refusal(PROBE, ())
    assert "balance weighted" in refusal(dataclasses.replace(PROBE, balance="weighted"), ())
    guarantee.refuse_recipe(dataclasses.replace(PROBE, balance="uniform"), ())


@pytest.mark.parametrize(
    ("teacher", "said"),
    [
        (config.Teacher(radii=(0.1,)), "radii"),
        (config.Teacher(networks=("mlp",)), "dp.networks"),
    ],
)
def test_settings_that_would_silently_not_be_used_are_refused(teacher, said):
    settings.check(config.Job(teacher=teacher))
    private = dataclasses.replace(teacher, dp=config.Dp(epsilon=1.0))
    with pytest.raises(StimjaxError, match=rf"^here: teacher\..*{said}") as error:
        settings.check(config.Job(teacher=private), "here: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"epsilon": -1.0},
        {"epsilon": float("nan")},
        {"epsilon": float("inf")},
        {"delta": 0.0},
        {"delta": 1.0},
        {"clip": 0.0},
        {"batch": 0},
        {"windows": 0},
        {"steps": 0},
        {"prior": 1.0},
        {"networks": ()},
    ],
)
def test_values_that_no_budget_can_have_are_refused(change):
    asked = config.Teacher(dp=config.Dp(**({"epsilon": 1.0} | change)))
    with pytest.raises(StimjaxError, match=r"^teacher\.dp\.") as error:
        settings.check(config.Job(teacher=asked))
    assert "\n" not in str(error.value)


def test_a_job_is_refused_before_hours_of_work():
    pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
    asked = config.Job(teacher=config.Teacher(dp=config.Dp(epsilon=1.0)))
    with pytest.raises(StimjaxError, match="--independent"):
        guarantee.refuse_job(asked)
    own = config.Prepare(independent=True, subject_from="file")
    asked = dataclasses.replace(asked, prepare=own)
    with pytest.raises(StimjaxError, match="source mixture"):
        guarantee.refuse_job(dataclasses.replace(asked, synthesis=config.Synthesis("mixture")))
    guarantee.refuse_job(asked)  # the default uses nothing that is not paid for
    guarantee.refuse_job(config.Job())  # nothing is refused without an epsilon


def test_windows_that_depend_on_other_recordings_are_refused(tmp_path):
    spec = Spec((4, 1), ("a", "b"), (Channel("SpO2", "%"),))
    cohort = Cohort(recordings=1, skipped=0, subjects=1, parts={}, masked={})
    batch.save_spec(spec, tmp_path, Made(config.Prepare(), cohort))
    with pytest.raises(StimjaxError, match="--independent"):
        guarantee.refuse_windows(tmp_path)
    whole = Made(config.Prepare(independent=True), cohort)
    batch.save_spec(spec, tmp_path, whole)
    guarantee.refuse_windows(tmp_path)
    # One window more moves others between the parts; an earlier version allowed both.
    random = dataclasses.replace(whole.settings, split="random")
    for made in (Made(random, cohort), Made(Dealt(independent=True)), Made(Dealt())):
        batch.save_spec(spec, tmp_path, made)
        with pytest.raises(StimjaxError, match="--split subject"):
            guarantee.refuse_windows(tmp_path)
    batch.save_spec(spec, tmp_path)  # as a release has it
    with pytest.raises(StimjaxError, match=r"spec\.json: is damaged"):
        guarantee.refuse_windows(tmp_path)


def test_the_manifest_says_what_holds_with_a_guarantee():
    said = methods.uses(config.Synthesis(recipe=PROBE))
    assert guarantee.uses(said, None) == said
    private = guarantee.uses(said, SPENT)
    assert methods.RANGE not in private and guarantee.FIXED in private
    assert f"{accept.FREQUENCY}, with noise" in private
    assert methods.COUNTED in said and methods.COUNTED not in private


def test_inhibition_is_refused_for_its_critic_has_no_guarantee():
    with pytest.raises(StimjaxError, match="inhibit"):
        guarantee.refuse_synthesis(config.Synthesis(method="probe", inhibit=0.5), (ledger.PRIOR,))


def test_rounding_labels_needs_nothing_but_the_labels() -> None:
    asked = config.Synthesis(method="probe", inhibit=0.5, inhibit_by=("labels",))
    guarantee.refuse_synthesis(asked, (ledger.PRIOR,))
