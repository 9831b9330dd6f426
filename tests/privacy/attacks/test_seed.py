"""Who has the seed has the source's statistics: they are the holder's, and tell who took part."""

from typing import Any

import jax
import numpy as np
import pytest
from scipy.stats import norm

from stimjax import models
from stimjax.config.recipes import RECIPES
from stimjax.excite import methods
from stimjax.excite.inhibit.inhibition import Inhibition, without_groups
from stimjax.excite.sources import SOURCES
from stimjax.learn.teacher import Teacher
from stimjax.privacy.attacks import seed
from stimjax.privacy.findings import MEMBERSHIP
from stimjax.privacy.shadow import releases
from stimjax.privacy.shadow.releases import Refit, ReleaseRecipe

SHADOWS = 8


def refit_of(how: ReleaseRecipe) -> Refit:
    refit = releases.refit(how)
    assert refit is not None
    return refit


def found(refit: Refit, world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in seed.attack(refit, SHADOWS).run(world)}


def test_it_asks_the_statistics_that_the_holder_measured(world):
    whole, inhibition = world(), Inhibition(groups=0.5)
    network = models.ensemble((models.classifier("mlp", whole.members.spec.shape, 2),), (1,))
    bare = Teacher(("mlp",), network.init(jax.random.key(0)), whole.members.spec)
    holders = without_groups(methods.measure(whole.members, bare), inhibition)
    density = SOURCES["mixture"].density
    assert density is not None
    refit, asked = refit_of(ReleaseRecipe(RECIPES["mixture"], inhibition)), []

    def listening(given):
        asked.append((given, refit(given)))
        return asked[-1][1]

    found(listening, whole)
    given, ours = asked[-1]
    assert len(asked) == SHADOWS + 1 and np.array_equal(given.x, whole.members.x)
    np.testing.assert_allclose(ours(whole.others), density(whole.others, holders), rtol=1e-6)
    people = [set(np.unique(one.subject)) for one, _ in asked[:-1]]
    both = {*np.unique(whole.members.subject), *np.unique(whole.others.subject)}
    for half, rest in zip(people[::2], people[1::2], strict=True):
        assert half.isdisjoint(rest) and half | rest == both


@pytest.mark.parametrize("method", ["mixture", "spectral"])
def test_members_are_found_whatever_was_released(world, method):
    whole, refit = world(), refit_of(ReleaseRecipe(RECIPES[method]))
    by = found(refit, whole)
    assert list(by) == [(f"{metric}_with_seed", level) for metric, level in MEMBERSHIP]
    assert by["auc_with_seed", "window"].value > 0.75
    assert by["auc_with_seed", "subject"].interval[0] > 0.6
    assert found(refit, whole._replace(release=whole.reference)) == by


def test_statistics_that_know_nobody_tell_nothing(world):
    draw = np.random.default_rng(0)

    def blind(given):
        return lambda windows: draw.normal(size=len(windows))

    for level in ("window", "subject"):
        low, high = found(blind, world())["auc_with_seed", level].interval
        assert low <= 0.5 <= high


def test_a_likelihood_is_compared_as_liras_is(world):
    """Densities that know a subject by 1, in noise of 1: as `test_lira` has it for signals."""
    whole, draw = world(members=40, others=40, each=25), np.random.default_rng(0)

    def knowing(given):
        inside = np.unique(given.subject)
        return lambda asked: np.isin(asked.subject, inside) + draw.normal(size=len(asked))

    value = found(knowing, whole)["auc_with_seed", "window"].value
    assert value == pytest.approx(norm.cdf(1 / np.sqrt(2 * (1 + 1 / SHADOWS))), abs=0.03)


def test_a_seed_that_is_gone_is_a_note_and_no_value(world):
    refit = refit_of(ReleaseRecipe(RECIPES["mixture"]))
    findings = seed.attack(refit, SHADOWS, "the file of the seed is gone").run(world())
    assert [(f.metric, f.level) for f in findings] == [
        ("auc_with_seed", "window"),
        ("auc_with_seed", "subject"),
    ]
    for finding in findings:
        assert finding.value is finding.interval is None
        assert "was not tried: the file of the seed is gone" in finding.note
        assert "subtract the noise" in finding.note
