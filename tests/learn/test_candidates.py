"""Training a teacher: which candidates count, and which robustness is chosen."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import chex
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from stimjax import config, models
from stimjax.batch import Batch
from stimjax.errors import StimjaxError
from stimjax.learn import candidates, fit, pooling, teacher
from stimjax.models import Params

SETTINGS = config.Teacher(networks=("mlp", "gru"), candidates=3, seed=4)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, stacked: Callable[..., Params]) -> dict[str, Any]:
    """Candidates with made-up parameters and losses instead of trained ones."""
    asked: dict[str, Any] = {
        "losses": [[0.5, np.inf, 0.3], [0.4, 0.6, 0.7]],
        "seeds": [],
        "radii": [],
    }

    def made(model: models.Model, *parts: Batch, **kwargs: Any) -> fit.Fitted:
        i = len(asked["seeds"])
        asked["seeds"].append(kwargs["seeds"])
        asked["radii"].append(kwargs["settings"].radius)
        if not np.isfinite(asked["losses"][i]).any():
            raise fit.DivergedError("training diverged")
        kwargs["run"].progress(10, kwargs["settings"].steps)
        params = stacked(
            SETTINGS.networks[0 if "same" in asked else i],
            *(10 * i + j for j in range(3)),
        )
        return fit.Fitted(params, np.array(asked["losses"][i]), 10)

    monkeypatch.setattr(fit, "fit", made)
    return asked


def test_without_an_ensemble_the_best_candidate_on_validation_is_kept(
    xor: Batch, asked: dict[str, Any], stacked: Callable[..., Params]
) -> None:
    trained = candidates.train(xor, xor, dataclasses.replace(SETTINGS, ensemble=False))
    assert trained.networks == ("mlp",)
    chex.assert_trees_all_equal(trained.params["members"], (stacked("mlp", 2),))
    assert trained.params["weights"][0].tolist() == [1.0]
    assert [m.weight for m in trained.members] == [0, 0, 1, 0, 0, 0]
    assert [m.loss for m in trained.members] == [0.5, None, 0.3, 0.4, 0.6, 0.7]
    assert [(m.network, m.candidate) for m in trained.members][2:4] == [
        ("mlp", 2),
        ("gru", 0),
    ]
    json.dumps([dataclasses.asdict(m) for m in trained.members], allow_nan=False)


def test_an_ensemble_holds_what_counts_and_nothing_that_diverged(
    xor: Batch,
    asked: dict[str, Any],
    made_up: Callable[[str, int], Params],
    stacked: Callable[..., Params],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def chosen(logs: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        assert logs.shape == (5, len(xor), 2)
        for place, (network, seed) in {1: ("mlp", 2), 2: ("gru", 10)}.items():
            model = models.classifier(network, xor.spec.shape, 2)
            logits = np.asarray(model.apply(made_up(network, seed), jnp.asarray(xor.x)))
            np.testing.assert_allclose(logs[place], special.log_softmax(logits, 1), atol=1e-4)
        return np.array([0.3, 0.5, 0.0, 0.9, 0.0])

    monkeypatch.setattr(pooling, "choose", chosen)
    seen = []
    trained = candidates.train(xor, xor, SETTINGS, progress=lambda *at: seen.append(at))
    assert seen == [(10, 3000), (1510, 3000)]
    assert trained.networks == ("mlp", "gru")
    chex.assert_trees_all_equal(
        trained.params["members"], (stacked("mlp", 0, 2), stacked("gru", 11))
    )
    weights = [m.weight for m in trained.members]
    assert weights == [0.3, 0, 0.5, 0, 0.9, 0]
    np.testing.assert_allclose(np.concatenate(trained.params["weights"]), [0.3, 0.5, 0.9])


def test_a_family_that_diverged_is_left_out_and_all_of_them_are_one_line(
    xor: Batch, asked: dict[str, Any]
) -> None:
    asked["losses"] = [[np.inf] * 3, [0.4, 0.6, 0.7]]
    trained = candidates.train(xor, xor, SETTINGS)
    assert trained.networks == ("gru",)
    assert [m.loss for m in trained.members][:4] == [None, None, None, 0.4]
    asked["losses"], asked["seeds"] = [[np.inf] * 3] * 2, []
    with pytest.raises(StimjaxError, match="diverged"):
        candidates.train(xor, xor, SETTINGS)


def test_the_radius_is_chosen_on_validation(xor: Batch, asked: dict[str, Any]) -> None:
    """Made-up networks label by chance, so that no radius is clearly worse; one diverges."""
    settings = dataclasses.replace(SETTINGS, radii=(0.5, 0.0, 2.0), networks=("mlp",))
    asked["losses"], asked["same"] = [[0.3, 0.4, 0.5]] * 2 + [[np.inf] * 3], True
    seen = []
    trained = candidates.train(xor, xor, settings, progress=lambda *at: seen.append(at))
    assert {m.radius for m in trained.members} == {0.5}
    assert asked["radii"] == [0.0, 0.5, 2.0]
    assert seen == [(10, 4500), (1510, 4500)]


def test_every_candidate_has_a_seed_of_its_own(xor: Batch, asked: dict[str, Any]) -> None:
    candidates.train(xor, xor, dataclasses.replace(SETTINGS, networks=("mlp", "gru", "mlp")))
    assert [len(row) for row in asked["seeds"]] == [3, 3]  # a name twice is one family
    assert [seed for row in asked["seeds"] for seed in row] == teacher.seeds(4, 6)


@pytest.mark.parametrize("change", [{"networks": ()}, {"candidates": 0}, {"networks": ("cnm",)}])
def test_settings_that_give_no_teacher_are_one_line(xor: Batch, change: dict[str, Any]) -> None:
    with pytest.raises(StimjaxError, match=r"at least one network|no network 'cnm'"):
        candidates.train(xor, xor, dataclasses.replace(SETTINGS, **change))
