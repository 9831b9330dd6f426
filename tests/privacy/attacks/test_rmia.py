"""The share of the population that a window beats."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from stimjax.privacy.attacks import rmia
from stimjax.privacy.shadow.pipelines import halves
from stimjax.privacy.shadow.signals import Signal


def area(score: np.ndarray) -> float:
    ours, theirs = score[::2], score[1::2]
    return float((ours[:, None] > theirs).mean())


def gaussian(gap: float, population: int = 500) -> Signal:
    rng, n, count = np.random.default_rng(1), 2000, 16
    level, reference = rng.normal(size=n), rng.normal(size=population)
    inside = halves(count, n, 0)
    noise = 0.2 * rng.normal(size=(count + 1, n + population))
    return Signal(
        shadows=level + gap * inside + noise[:-1, :n],
        inside=inside,
        target=level + np.where(np.arange(n) % 2 == 0, gap, 0.0) + noise[-1, :n],
        shadows_population=reference + noise[:-1, n:],
        population=reference + noise[-1, n:],
    )


def test_it_counts_whom_a_window_beats() -> None:
    signal = Signal(
        shadows=np.log([[1.0, 2.0], [3.0, 2.0]]),
        inside=np.array([[True, False], [False, True]]),
        target=np.log([4.0, 1.0]),  # over means of 2 and 2
        shadows_population=np.log([[1.0, 1.0, 1.0, 2.0], [1.0, 1.0, 3.0, 2.0]]),
        population=np.log([1.0, 0.4, 6.0, 1.0]),  # 1, 0.4, 3, 0.5
    )
    found = rmia.share_beaten(rmia.ratios(signal, np.exp))
    # 3 of 4 and 2 of 4, with their ratios, 2 and 0.5, between the steps.
    assert found == pytest.approx([(3 + 2 / 3) / 5, (2 + 1 / 3) / 5])


@pytest.mark.parametrize("population", [5, 500])
def test_area_is_about_that_of_the_densities(population: int) -> None:
    found = area(rmia.share_beaten(rmia.ratios(gaussian(0.3, population), np.exp)))
    assert found == pytest.approx(norm.cdf(0.3 / (0.2 * np.sqrt(2 * (1 + 1 / 16)))), abs=0.03)


@pytest.mark.parametrize("likelihood", [np.exp, expit])
def test_chance_where_shadows_with_and_without_are_alike(likelihood) -> None:
    found = area(rmia.share_beaten(rmia.ratios(gaussian(0.0), likelihood)))
    assert found == pytest.approx(0.5, abs=0.025)


def test_two_signals_together_find_more_than_either() -> None:
    first = gaussian(0.3)
    rng = np.random.default_rng(5)
    noise = 0.2 * rng.normal(size=first.target.shape), 0.2 * rng.normal(size=first.shadows.shape)
    member = np.arange(len(first.target)) % 2 == 0
    second = first._replace(target=0.3 * member + noise[0], shadows=0.3 * first.inside + noise[1])
    alone = [rmia.ratios(signal, np.exp) for signal in (first, second)]
    found = area(rmia.share_beaten(alone[0] * alone[1]))
    assert found > max(area(rmia.share_beaten(one)) for one in alone) + 0.05
