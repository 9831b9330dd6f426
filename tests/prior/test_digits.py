"""Digits in the form of private images, held against scikit-learn's own."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import datasets

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.data import images
from stimjax.excite import carriers
from stimjax.excite.sources import SOURCES, generic, public
from stimjax.prior import digits, known
from stimjax.prior.known import Known
from stimjax.prior.strip import NoPrior
from stimjax.students import baselines

NAMES = tuple(map(str, range(10)))
LARGE = Spec((15, 22, 2), NAMES, (Channel("a", "", low=-1.0), Channel("b", "", low=0.0, high=3.0)))


def own() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's images f32[n, 8, 8], from 0 to 1, and their labels."""
    pixels, label = datasets.load_digits(return_X_y=True)
    return (np.asarray(pixels) / 16).astype(np.float32).reshape(-1, 8, 8), np.asarray(label)


def test_at_their_own_size_they_are_themselves() -> None:
    pixels, label = own()
    form = images.digits().spec
    found = carriers.scored(Known(), form)
    np.testing.assert_array_equal(np.asarray(found.x)[..., 0], pixels)
    np.testing.assert_array_equal(found.label, label)
    batch.check(found, "digits")


def test_they_have_the_size_the_channels_and_the_values_of_private_images() -> None:
    found = carriers.scored(Known(), LARGE)
    batch.check(found, "digits")
    small, _ = own()
    # Linear between pixels: the corners of an image are its own, and so is the range.
    large = np.asarray(found.x)
    for channel, low, high in ((0, -1.0, 1.0), (1, 0.0, 3.0)):
        for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            expected = low + small[:, y, x] * (high - low)
            np.testing.assert_allclose(large[:, y, x, channel], expected, atol=1e-6)
        assert large[..., channel].min() == low and large[..., channel].max() <= high
    middle = small[:, 3:5, 3:5].mean(axis=(1, 2))  # of an odd number of rows and an even of columns
    between = large[:, 7, 10:12, 0].mean(axis=1)
    np.testing.assert_allclose(between, 2 * middle - 1, atol=1e-5)


def test_a_draw_is_an_image_of_its_class_a_little_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    target = 7
    form = images.digits().spec
    monkeypatch.setattr(generic, "make", lambda *given: lambda key, target: jnp.zeros(form.shape))
    strip = known.strip(Known(), form)

    def drawn(changed: bool) -> np.ndarray:
        if not changed:
            monkeypatch.setattr(public, "augmented", lambda spec: lambda window, key: window)
        source = SOURCES["public"].make(form, public.arrays(strip), Recipe(source="public"))
        keys = jax.random.split(jax.random.key(0), 50)
        return np.asarray(jax.vmap(source, (0, None))(keys, jnp.int32(target)))

    changed, plain = drawn(True), drawn(False)
    called = {image.tobytes(): int(label) for image, label in zip(*own(), strict=True)}
    assert {called[image.tobytes()] for image in plain} == {target}
    assert len({image.tobytes() for image in changed}) == 50  # 50 of some 180: some came twice
    likeness = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(changed, plain, strict=True)
    ]
    assert 0.6 < np.median(likeness) < 0.999


def test_other_images_are_one_line() -> None:
    for classes in (("0", "1"), NAMES[::-1]):
        with pytest.raises(NoPrior, match="scikit-learn's digits") as error:
            known.strip(Known(), dataclasses.replace(LARGE, classes=classes))
        assert "\n" not in str(error.value)


def private(spec: Spec, own: int) -> Batch:
    """Random images, `own` of which are the prior's."""
    x = np.random.default_rng(0).random((30, *spec.shape)).astype(np.float32)
    x[:own] = np.asarray(carriers.scored(Known(), spec).x)[100 : 100 + own]
    return batch.make(x, batch.one_hot(np.arange(30) % 10, spec), spec)


@pytest.mark.parametrize("spec", [LARGE, images.digits().spec], ids=["large", "small"])
def test_private_images_that_are_the_digits_have_no_prior(spec: Spec) -> None:
    others, same = private(spec, 0), private(spec, 1)
    assert not digits.among(others) and digits.among(same)
    settings = config.Prior(part=0.5)
    found = known.known(settings, same)
    for use in (carriers.beside, lambda train, prior: carriers.scored(prior, train.spec)):
        use(others, known.known(settings, others))
        with pytest.raises(NoPrior, match="choose a --method") as error:
            use(same, found)
        assert "\n" not in str(error.value)
    assert baselines.make("prior", same, None, 10, 0) is None
    assert baselines.make("prior", others, None, 10, 0) is not None
