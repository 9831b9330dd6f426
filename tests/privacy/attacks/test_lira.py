"""The likelihood ratio against known Gaussians."""

import numpy as np
import pytest
from scipy.stats import norm

from stimjax.batch import Channel, Spec, make, one_hot
from stimjax.privacy.attacks import lira
from stimjax.privacy.findings import World
from stimjax.privacy.shadow.pipelines import halves
from stimjax.privacy.shadow.signals import Signal


def gaussian(count: int, n: int, gap: float, seed: int = 0, spread: float = 0.0) -> Signal:
    """Signals of windows of very different level; every second one is a member."""
    rng = np.random.default_rng(seed)
    level = 3 * rng.normal(size=n)
    gaps = gap + spread * rng.normal(size=n)
    inside = halves(count, n, seed)
    member = np.arange(n) % 2 == 0
    return Signal(
        shadows=level + gaps * inside + rng.normal(size=(count, n)),
        inside=inside,
        target=level + gaps * member + rng.normal(size=n),
        shadows_population=rng.normal(size=(count, 500)),
        population=rng.normal(size=500),
    )


def area(score: np.ndarray) -> float:
    ours, theirs = score[::2], score[1::2]
    return float((ours[:, None] > theirs).mean())


def test_it_is_the_ratio_of_two_normal_densities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lira, "STRAY", 1e-200)  # of nothing but these two
    monkeypatch.setattr(lira, "moderated", lambda variance, free: np.full(50, variance.mean()))
    signal = gaussian(16, 50, gap=2.0)
    # The same difference of means everywhere: nothing is drawn anywhere.
    means = [
        np.where(mask, signal.shadows, 0).sum(axis=0) / 8
        for mask in (signal.inside, ~signal.inside)
    ]
    shadows = signal.shadows - np.where(signal.inside, means[0] - 2.0, means[1])
    deviation = np.sqrt((np.where(signal.inside, shadows - 2.0, shadows) ** 2).sum(axis=0) / 14)
    together = np.sqrt((deviation**2).mean())
    expected = norm.logpdf(signal.target, 2.0, together) - norm.logpdf(signal.target, 0.0, together)
    found = lira.ratio(signal._replace(shadows=shadows))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("count", [16, 64])
def test_area_is_that_of_two_normal_densities(count: int) -> None:
    found = area(lira.ratio(gaussian(count, 2000, gap=1.0)))
    # What the means of few shadows leave uncertain counts as noise of the target.
    assert found == pytest.approx(norm.cdf(1.0 / np.sqrt(2 * (1 + 1 / count))), abs=0.02)


def test_windows_that_are_remembered_more_count_more() -> None:
    signal = gaussian(64, 2000, gap=0.5, spread=1.5)
    plain = area(signal.target - signal.shadows.mean(axis=0))
    assert area(lira.ratio(signal)) > plain + 0.03


def test_chance_where_shadows_with_and_without_are_alike() -> None:
    assert area(lira.ratio(gaussian(16, 2000, gap=0.0))) == pytest.approx(0.5, abs=0.025)


def test_a_leak_that_no_shadow_has_is_found_all_the_same() -> None:
    signal = gaussian(16, 2000, gap=0.3, spread=0.3)
    leak = signal.target + np.where(np.arange(2000) % 2 == 0, 10.0, 0.0)
    assert area(lira.ratio(signal._replace(target=leak))) > 0.999


def test_two_signals_together_are_as_good_as_one_of_twice_the_information() -> None:
    first, second = gaussian(64, 2000, gap=1.0), gaussian(64, 2000, gap=1.0, seed=1)
    together = area(lira.ratio(first) + lira.ratio(second))
    assert together == pytest.approx(norm.cdf(1.0 / np.sqrt(1 + 1 / 64)), abs=0.02)


def test_findings_are_of_both_signals_in_order_of_members_and_others() -> None:
    spec = Spec((4, 1), ("a", "b"), (Channel("x", ""),))
    x = np.random.default_rng(0).normal(size=(60, 4, 1))
    windows = make(x, one_hot(np.arange(60) % 2, spec), spec, subject=np.arange(60) // 10)
    world = World(windows[:10], windows[:30], windows[30:], windows)
    signal = gaussian(16, 60, gap=0.0)
    known = signal._replace(target=signal.target + np.where(np.arange(60) < 30, 20.0, 0.0))
    seen = {"answers": known, "density": signal}
    both, answers, density = lira.attacks(lambda world: seen, list(seen))
    assert [a.name for a in (both, answers, density)] == ["lira", "lira_answers", "lira_density"]
    for one in (both, answers):
        auc = {f.level: f.value for f in one.run(world) if f.metric == "auc"}
        assert auc == {"window": pytest.approx(1.0, abs=0.02), "subject": 1.0}
    found = density.run(world)[0]
    assert found.interval is not None and found.interval[0] < 0.5 < found.interval[1]


@pytest.mark.parametrize(("prior", "common"), [(6.0, 2.0), (30.0, 0.1)])
def test_variances_are_drawn_as_far_as_who_knew_their_scatter_would(prior, common) -> None:
    rng, free = np.random.default_rng(0), 14
    true = prior * common / rng.chisquare(prior, 20_000)
    seen = true * rng.chisquare(free, 20_000) / free
    best = (prior * common + free * seen) / (prior + free)
    np.testing.assert_allclose(lira.moderated(seen, free), best, rtol=0.06)


def test_variances_that_scatter_as_equal_ones_do_become_one() -> None:
    seen = 3.0 * np.random.default_rng(1).chisquare(14, 500) / 14
    found = lira.moderated(seen, 14)
    assert found.std() < 0.1 * seen.std() and found.mean() == pytest.approx(3.0, rel=0.05)


def test_what_is_seen_once_of_a_subject_counts_once() -> None:
    signal, of_subjects = gaussian(16, 60, gap=1.0), gaussian(16, 60, gap=1.0, seed=1)
    seen = {"density": signal, "labels": of_subjects._replace(weight=np.full(60, 1 / 20))}
    found = lira.together(seen)
    np.testing.assert_allclose(found, lira.ratio(signal) + lira.ratio(of_subjects) / 20)
