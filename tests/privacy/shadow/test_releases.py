"""Releases of pipelines: of every method, and inhibited as a holder inhibits his."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from random_teacher import recorded

from stimjax import config, models
from stimjax.batch import NOBODY, Batch, Channel, Spec, check, make, one_hot
from stimjax.config.recipes import RECIPES, Recipe, Terms
from stimjax.disk.documents import Guarantee, Manifest
from stimjax.errors import StimjaxError
from stimjax.excite import kind, methods, proxies
from stimjax.excite.inhibit.inhibition import IDENTITY, Inhibition
from stimjax.excite.sources import SOURCES
from stimjax.excite.terms import features
from stimjax.learn.predict import probabilities
from stimjax.prior.known import Known
from stimjax.privacy.shadow import releases
from stimjax.privacy.shadow.pipelines import Labelers, Trained
from stimjax.privacy.shadow.releases import ReleaseRecipe

SIGNAL = Spec((24, 2), ("a", "b", "c"), (Channel("x", "", low=-4, high=4),) * 2, rate=1.0)
IMAGE = Spec((8, 8, 1), ("a", "b", "c"), (Channel("x", "", low=-4, high=4),))
NOISE = Recipe(source="noise")
# With a small network, for time.
PAPER = dataclasses.replace(RECIPES["paper"], generator="dense", latent=64, lanes=8, life=0)


def made(recipe: Recipe = RECIPES["mixture"], **strengths: float) -> ReleaseRecipe:
    return ReleaseRecipe(recipe, Inhibition(**strengths))


def windows(spec: Spec, n: int, subjects: int = 0) -> Batch:
    """Windows of nobody, or of subjects with a manner of their own, one night after the other."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 3
    ones = [1] * len(spec.shape)
    x = rng.normal(size=(n, *spec.shape)) + label.reshape(-1, *ones) - 1
    whose = np.full(n, NOBODY)
    if subjects:
        whose = np.arange(n) * subjects // n
        x += rng.normal(size=(subjects, *spec.shape))[whose]
    return make(np.clip(x, -4, 4), one_hot(label, spec), spec, subject=whose)


def trained(batch: Batch, rows: list[np.ndarray]) -> Trained:
    """Teachers that learn briefly; what is inhibited does not ask for more."""
    model = models.classifier("mlp", batch.spec.shape, len(batch.spec.classes))
    seeds = list(range(1, 1 + len(rows)))
    return Trained(batch, rows, rows, (model,), config.Fit(steps=200, batch=32), seeds, seeds)


@pytest.fixture(scope="module")
def known() -> Trained:
    """Pipelines that hold three of six subjects each."""
    batch = windows(SIGNAL, 360, subjects=6)
    return trained(batch, [np.arange(180), np.arange(180, 360)])


@pytest.mark.parametrize(
    ("recipe", "spec"),
    [(PAPER, SIGNAL), (RECIPES["invert"], SIGNAL), (RECIPES["mixture"], IMAGE)],
    ids=["paper", "invert", "mixture"],
)
def test_releases_of_every_method(recipe: Recipe, spec: Spec) -> None:
    batch = windows(spec, 240)
    given = trained(batch, [np.arange(240), np.arange(60)])  # of one group and of more
    first, second = releases.drawn(made(recipe), 200)(given)
    for stimuli in (first, second):
        assert 200 <= len(stimuli) < 200 + recipe.lanes
        check(stimuli, recipe.source)
        assert np.abs(stimuli.x).max() <= 4
    assert not np.allclose(first.x, second.x)
    found = probabilities(given.model, given.params, second.x)[1]
    assert second.y == pytest.approx(found, abs=1e-5)


def test_what_excites_is_excited_until_its_threshold() -> None:
    given = trained(windows(SIGNAL, 240), [np.arange(240), np.arange(120)])
    recipe = dataclasses.replace(PAPER, lowest=0.9, tries=200)
    found = releases.drawn(made(recipe), 40)(given)
    drawn = releases.drawn(made(dataclasses.replace(recipe, tries=1, accept="end")), 40)(given)
    for excited, plain in zip(found, drawn, strict=True):
        assert np.asarray(excited.y).max(axis=1).min() > 0.9 > np.asarray(plain.y).max(axis=1).min()


def test_terms_see_what_their_own_pipeline_saw() -> None:
    given = trained(windows(SIGNAL, 600), [np.arange(300), np.arange(300, 600)])
    recipe = dataclasses.replace(RECIPES["invert"], tries=5)
    measured = releases._measured(given, 1, methods.needs(recipe))
    params = jax.tree.map(lambda a: a[1], given.params)
    own = features.measure(
        given.windows[given.rows[1]], releases._Pipeline(given.families, params), {}
    )
    for name, array in own.items():
        np.testing.assert_allclose(measured[name], array, atol=1e-5)
    assert measured["confidence.others"].sum() == pytest.approx(3)
    assert "embedding" in " ".join(measured)
    terms = dataclasses.replace(recipe.terms, moments=1.0, features_global=1.0)
    for stimuli in releases.drawn(made(dataclasses.replace(recipe, terms=terms)), 100)(given):
        check(stimuli, "every statistic")


def test_the_term_makes_a_pipelines_stimuli_less_recognizable(known: Trained) -> None:
    recipe = Recipe("noise", "window", Terms(cross_entropy=1.0), tries=20, rate=0.05, lanes=8)
    params, _ = releases._critics(known, 0.5)
    recognizes = releases._critic(known.windows)

    def surest(how: ReleaseRecipe) -> float:
        stimuli = releases.drawn(how, 40)(known)[0]
        return float(probabilities(recognizes, params, stimuli.x)[0].max(axis=-1).mean())

    assert surest(made(recipe, term=5.0)) < surest(made(recipe)) - 0.03


def test_how_a_release_is_made_follows_its_settings() -> None:
    plain = releases.release_recipe(config.Synthesis(method="probe"))
    assert plain == made(RECIPES["probe"])
    by = config.Synthesis(method="probe", inhibit=0.4, inhibit_by=("directions", "term"))
    assert releases.release_recipe(by) == made(RECIPES["probe"], directions=0.4)
    assert releases.release_recipe(dataclasses.replace(by, inhibit_by=("refusal",))) == made(
        RECIPES["probe"], refusal=0.4
    )
    assert releases.release_recipe(dataclasses.replace(by, inhibit=0.0)) == plain
    mixed = config.Synthesis("mixture", inhibit=0.4, inhibit_by=("groups",))
    assert releases.release_recipe(mixed) == made(
        groups=0.4
    )  # which have no meaning but in a mixture
    excited = dataclasses.replace(by, method="invert")
    weight = 0.4 * IDENTITY
    assert releases.release_recipe(excited) == made(RECIPES["invert"], directions=0.4, term=weight)
    rounded = dataclasses.replace(mixed, inhibit_by=("labels",))
    assert releases.release_recipe(rounded) == made(labels=0.4)
    assert releases.release_recipe(dataclasses.replace(mixed, method="probe")) == plain
    probe = config.Synthesis(method="probe")
    assert releases.release_recipe(probe, ("gru", "somebody's own")).by.networks == ("gru",)
    assert releases.release_recipe(probe, ("somebody's own",)) == plain


def test_shadows_know_the_public_recordings_of_a_release_that_names_them() -> None:
    more = recorded(SIGNAL, seed=1)
    prior = config.Prior(part=0.5)
    manifest = Manifest(
        count=0,
        method=config.Synthesis("probe"),
        classes=(),
        accepted=(),
        failed=(),
        hits=(),
        lane_steps=0,
        uses=(),
        privacy=Guarantee(),
        versions={},
        networks=("gru",),
        prior=prior,
    )
    for public, known_ones in (((more.about,), (more,)), ((), ())):
        release = dataclasses.replace(manifest, public=public)
        by = releases.recipe_of(release, (more,)).by
        assert by == Labelers(("gru",), None, Known(prior, known_ones))
        hash(by)  # shadows of one kind are kept by it
    assert releases.recipe_of(dataclasses.replace(manifest, prior=None)).by.prior == Known()


def test_a_guarantee_is_kept_by_shadows_of_networks_that_nobody_knows() -> None:
    private, asked = config.Dp(epsilon=8.0, units=9), config.Synthesis("mixture")
    for networks in ((), ("somebody's own",)):
        by = releases.release_recipe(asked, networks, private).by
        assert by[:2] == (("cnn",), private)
        (said,) = releases.unlike(by, networks, True).split("; ")
        assert said.endswith("so that shadow teachers are of cnn")
    some = releases.release_recipe(asked, ("gru", "somebody's own")).by
    assert "gru, somebody's own" in releases.unlike(some, ("gru", "somebody's own"), False)


def test_it_is_said_where_shadows_have_not_the_guarantee_that_the_teacher_had() -> None:
    by = releases.release_recipe(config.Synthesis(), ("gru", "mlp")).by
    assert releases.unlike(by, ("gru", "mlp"), False) == ""
    assert "shadow teachers have none" in releases.unlike(by, ("gru", "mlp"), True)
    private = by._replace(dp=config.Dp(epsilon=8.0))
    assert releases.unlike(private, ("gru", "mlp"), True) == ""


def test_what_a_critic_recognizes_is_refused_and_drawn_again(known: Trained) -> None:
    params, bound = releases._critics(known, 0.5)
    recognizes = releases._critic(known.windows)
    assert bound is not None

    def surest(stimuli: Batch) -> np.ndarray:
        return probabilities(recognizes, params, stimuli.x).max(axis=-1)

    whole = releases.drawn(made(NOISE), 200)(known)
    assert (surest(whole[0])[0] > bound[0]).any()
    for number, stimuli in enumerate(releases.drawn(made(NOISE, refusal=0.5), 200)(known)):
        assert len(stimuli) == len(whole[number])
        assert surest(stimuli)[number].max() <= bound[number] + 1e-6


def test_a_critic_of_a_pipeline_knows_its_own_subjects_on_the_rest_of_their_nights(
    known: Trained,
) -> None:
    params, bound = releases._critics(known, 0.5)
    answers = probabilities(releases._critic(known.windows), params, known.windows.x)
    whose = np.asarray(known.windows.subject)
    assert bound is not None
    for number, rows in enumerate(known.rows):
        late = np.concatenate([rows[whose[rows] == one][45:] for one in np.unique(whose[rows])])
        own = answers[number][late]
        assert (own.argmax(axis=-1) == whose[late]).mean() > 0.8
        assert (own.max(axis=-1) > bound[number]).mean() == pytest.approx(0.5, abs=0.05)


def test_directions_are_taken_out_of_each_teacher_before_it_labels(known: Trained) -> None:
    (erasure,) = releases._erasures(known, 1.0)
    assert (np.asarray(erasure.read).any(axis=2).sum(axis=1) > 0).all()
    plain = releases.drawn(made(NOISE), 200)(known)
    for number, stimuli in enumerate(releases.drawn(made(NOISE, directions=1.0), 200)(known)):
        assert np.array_equal(stimuli.x, plain[number].x)
        own, without = jax.tree.map(lambda leaf, n=number: leaf[n], (known.params, erasure))
        logits, _ = known.model.hidden(own, jnp.asarray(stimuli.x), (without,))
        assert stimuli.y == pytest.approx(np.asarray(jax.nn.softmax(logits)), abs=1e-5)
        assert np.abs(stimuli.y - plain[number].y).max() > 1e-3


def test_groups_give_way_to_whole_classes_in_each_pipeline() -> None:
    batch = windows(SIGNAL, 1200)
    given = trained(batch, [np.arange(600), np.arange(600, 1200)])
    plain, coarse = (releases.drawn(how, 200)(given) for how in (made(), made(groups=1.0)))
    pipeline = releases._Pipeline(given.families, {"members": ({},)})
    for number, rows in enumerate(given.rows):
        own = kind.measured(SOURCES["mixture"].needs, batch[rows], pipeline)
        assert len(own["mixture.share"]) > 3
        real = np.asarray(batch.x)[rows].std()
        assert np.asarray(coarse[number].x).std() == pytest.approx(real, rel=0.15)
        assert np.abs(coarse[number].x - plain[number].x).max() > 0.1


def test_labels_are_rounded_as_the_holder_rounds_them(known: Trained) -> None:
    plain, rounded = (
        releases.drawn(how, 200)(known) for how in (made(NOISE), made(NOISE, labels=1.0))
    )
    for soft, hard in zip(plain, rounded, strict=True):
        assert np.array_equal(soft.x, hard.x)
        assert np.array_equal(hard.y, one_hot(np.asarray(soft.y).argmax(axis=1), SIGNAL))


def test_windows_of_nobody_have_no_identity_to_inhibit() -> None:
    given = trained(windows(SIGNAL, 60), [np.arange(30), np.arange(30, 60)])
    plain, inhibited = (
        releases.drawn(how, 50)(given)
        for how in (made(NOISE), made(NOISE, refusal=0.9, directions=0.9))
    )
    assert all(np.array_equal(a.y, b.y) for a, b in zip(plain, inhibited, strict=True))


def test_a_critic_that_recognizes_everything_is_one_line() -> None:
    """Of a window in each night nobody can say whose it is: all else is recognized more surely."""
    batch = windows(SIGNAL, 360, subjects=6)
    x = np.array(batch.x)
    x[59::60] = 0
    given = trained(dataclasses.replace(batch, x=x), [np.arange(180), np.arange(180, 360)])
    with pytest.raises(StimjaxError, match="inhibit less"):
        releases.drawn(made(NOISE, refusal=1.0), 50)(given)


def test_subjects_that_a_holder_would_not_tell_apart_have_no_critic() -> None:
    """Of one subject has a holder no critic, nor of nights with too few windows to judge it on."""
    batch = windows(SIGNAL, 64, subjects=2)
    few = dataclasses.replace(batch, subject=np.repeat([0, 1], [62, 2]).astype(np.int32))
    for part in (batch[:32], few):
        given = trained(part, [np.arange(len(part))])
        plain, inhibited = (
            releases.drawn(how, 50)(given) for how in (made(NOISE), made(NOISE, refusal=1.0))
        )
        assert np.array_equal(plain[0].x, inhibited[0].x)


@pytest.mark.parametrize("method", ["mixture", "spectral"])
def test_a_refitted_source_finds_windows_like_those_of_the_stimuli_likelier(method: str) -> None:
    refit = releases.refit(made(RECIPES[method]))
    assert refit is not None
    batch = windows(SIGNAL, 600)
    own, shifted = batch[300:], make(batch.x[300:] * 0.3 + 1.5, batch.y[300:], SIGNAL)
    density = refit(batch[:300])
    found = density(own)
    assert found.shape == (300,) and np.isfinite(found).all()
    assert found.mean() > density(shifted).mean() + 0.1


def test_a_source_without_statistics_cannot_be_refitted() -> None:
    assert releases.refit(made(RECIPES["probe"])) is releases.refit(made(RECIPES["paper"])) is None


def test_a_release_is_as_large_as_asked_unless_it_is_excited_or_memory_is_short(known) -> None:
    assert len(releases.drawn(made(NOISE), 3000)(known)[0]) >= 3000
    assert releases._size(RECIPES["invert"], 20_000, 48) == releases.STIMULI + 48  # whole lanes
    assert releases._size(NOISE, 20_000, 2 * releases.VALUES // 5000) == 2560


def test_labels_of_shadows_are_inhibited_as_those_of_releases_are(known) -> None:
    x = np.asarray(known.windows.x[:50])
    plain = releases.labels(known, made())(x)
    np.testing.assert_allclose(plain, probabilities(known.model, known.params, x), atol=1e-5)
    classes = releases.labels(known, made(labels=1.0))(x)
    assert (classes == np.eye(3)[plain.argmax(axis=2)]).all()
    erased = releases.labels(known, made(directions=1.0))(x)
    assert np.abs(erased - plain).max() > 1e-3


def test_statistics_are_of_the_windows_that_are_measured(known) -> None:
    low, high = (np.flatnonzero(known.windows.label == number) for number in (0, 2))
    swapped = dataclasses.replace(known, measured=[low, high])
    first, second = releases.drawn(made(RECIPES["spectral"]), 300)(swapped)
    assert np.mean(first.x) < -0.3 < 0.3 < np.mean(second.x)


def test_a_teacher_of_several_families_labels_as_their_geometric_mean(known) -> None:
    small = models.classifier("mlp", SIGNAL.shape, 3, {"width": 8})
    settings = dataclasses.replace(known.settings, steps=100)
    given = dataclasses.replace(known, families=(*known.families, small), settings=settings)
    stimuli = releases.drawn(made(NOISE), 100)(given)[1]
    pipeline = releases._Pipeline(given.families, jax.tree.map(lambda a: a[1], given.params))
    logits = [network.apply(params, jnp.asarray(stimuli.x)) for network, params in pipeline.models]
    mean = sum(jax.nn.log_softmax(one) for one in logits) / 2
    np.testing.assert_allclose(stimuli.y, jax.nn.softmax(mean), atol=1e-5)
    assert np.abs(jax.nn.softmax(logits[0]) - stimuli.y).max() > 0.01
    assert len(releases._erasures(given, 1.0)) == 2  # each has directions of its own


def test_proxies_of_each_pipeline_learn_from_its_rounds_so_far(known, monkeypatch) -> None:
    monkeypatch.setattr(proxies, "NETWORKS", ("mlp",))
    monkeypatch.setattr(proxies, "FIT", config.Fit(steps=50, noise=0.0))
    terms = Terms(cross_entropy=1.0, disagreement=5.0)
    recipe = Recipe("noise", "window", terms, tries=10, rate=0.1, lanes=8, rounds=2)
    seen, own, sign = [], releases._proxies, 1

    def spied(trained: Trained, stimuli: list[Batch], index: int):
        seen.append([len(one) for one in stimuli])
        return jax.tree.map(lambda leaf: sign * leaf, own(trained, stimuli, index))

    monkeypatch.setattr(releases, "_proxies", spied)
    first = releases.drawn(made(recipe), 48)(known)
    sign = -1  # other proxies: what is sought is something else
    second = releases.drawn(made(recipe), 48)(known)
    assert seen == 2 * [[], [24, 24]]
    for one, other in zip(first, second, strict=True):
        assert len(one) == len(other) == 48
        np.testing.assert_array_equal(one.x[:24], other.x[:24])
        assert np.abs(one.x[24:] - other.x[24:]).max() > 0.01


def test_units_are_counted_where_nobody_stated_them(known) -> None:
    settings = config.Dp(epsilon=8.0)
    for private, units in ((settings, 6), (dataclasses.replace(settings, units=9), 9)):
        how = releases.release_recipe(config.Synthesis(), ("cnn",), private)
        private = releases.counted(how, known.windows).by.dp
        assert private is not None and private.units == units
    by_window = dataclasses.replace(settings, unit="window")
    how = releases.release_recipe(config.Synthesis(), ("gru", "mlp"), by_window)
    counted = releases.counted(how, known.windows)
    assert counted.by[:2] == (("gru", "mlp"), dataclasses.replace(by_window, units=360))
    assert releases.release_recipe(config.Synthesis()).by[:2] == (("cnn",), None)
