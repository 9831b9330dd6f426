"""Every network by name, behind the same pure functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.errors import StimjaxError
from stimjax.models.classifiers import CNN, GRU, MLP, AMClassifier, ResNet, Transformer
from stimjax.models.generators import AMGenerator, ConvGenerator, DenseGenerator
from stimjax.models.layers import Erasures

Params = Any  # a pytree of arrays


def _opaque(params: Params, x: Array, erasures: Erasures = ()) -> Any:
    raise TypeError("this network does not show its hidden activity")


class Model(NamedTuple):
    """A network as pure functions.

    Attributes:
        init: `init(key) -> params`.
        apply: `apply(params, x, key=None) -> output` for a batch `x`; dropout is on where a key
            is given, and off (inference) where it is not.
        hidden: `hidden(params, x) -> output, activities`: in inference, what `apply` gives and the
            activity of every hidden layer from the first to the last, each f32[n, positions, unit]
            (positions in time or space in a row; a dense layer has one). Generators show none. A
            third argument `erasures`, an `Erasure` for each network, takes directions out of what
            the last layer gets.
        represent: `represent(params, x) -> f32[n, unit]`: what the last layer gets in inference; of
            a single classifier.
        renew: `renew(key) -> params` for a generator that failed; None where that is `init`.
    """

    init: Callable[[Array], Params]
    apply: Callable[..., Float[Array, "n ..."]]
    hidden: Callable[..., tuple[Array, tuple[Array, ...]]] = _opaque
    represent: Callable[[Params, Array], Float[Array, "n unit"]] = _opaque
    renew: Callable[[Array], Params] | None = None


CLASSIFIERS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "mlp": (MLP, {}),
    "cnn": (CNN, {}),
    "cnn_half": (CNN, {"width": 12}),
    "resnet": (ResNet, {}),
    "gru": (GRU, {}),
    "transformer": (Transformer, {}),
    "am_classifier": (AMClassifier, {}),
}

GENERATORS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "dense": (DenseGenerator, {}),
    "conv": (ConvGenerator, {}),
    "am_generator": (AMGenerator, {}),
}


def classifier(
    name: str, shape: tuple[int, ...], classes: int, settings: Mapping[str, Any] | None = None
) -> Model:
    """The classifier `name` for windows of `shape`; `settings` such as width, depth, dropout.

    Raises:
        StimjaxError: the name or a setting is unknown.
    """
    return _model(CLASSIFIERS, name, shape, {"classes": classes}, settings or {})


def generator(
    name: str, shape: tuple[int, ...], latent: int, settings: Mapping[str, Any] | None = None
) -> Model:
    """The generator `name` from `z f32[n, latent]` to windows of `shape` with values in 0..1.

    Raises:
        StimjaxError: the name or a setting is unknown.
    """
    return _model(GENERATORS, name, (latent,), {"shape": shape}, settings or {})


def size(params: Params) -> int:
    """How many numbers `params` holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def _model(
    table: Mapping[str, tuple[type[nn.Module], dict[str, Any]]],
    name: str,
    input_shape: tuple[int, ...],
    given: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Model:
    if name not in table:
        raise StimjaxError(f"there is no network {name!r}; choose one of {', '.join(table)}")
    kind, defaults = table[name]
    try:
        return _pure(kind(**{**given, **defaults, **settings}), input_shape)
    except TypeError as error:
        raise StimjaxError(f"network {name!r}: {error}") from error


@functools.cache  # equal networks are the same functions: jit compiles them once
def _pure(module: nn.Module, input_shape: tuple[int, ...]) -> Model:
    @jax.jit  # one program for all layers: by itself each draw would be compiled
    def init(key: Array) -> Params:
        return module.init(key, jnp.zeros((1, *input_shape)), train=False)["params"]

    renew = None
    if isinstance(module, AMGenerator) and not module.drawn:
        again = cast(Any, module.clone(drawn=True))  # its fields make it hashable
        renew = _pure(again, input_shape).init

    def apply(params: Params, x: Float[Array, "n ..."], key: Array | None = None) -> Array:
        if key is None:
            return module.apply({"params": params}, x, train=False)  # pyright: ignore
        return module.apply({"params": params}, x, train=True, rngs={"dropout": key})  # pyright: ignore

    def seen(params: Params, x: Array, erasures: Erasures) -> tuple[Array, Mapping[str, Any]]:
        options: dict[str, Any] = {"train": False, "mutable": "intermediates"}
        if erasures:
            options["erasures"] = erasures
        output, sown = cast(Any, module.apply({"params": params}, x, **options))
        return output, sown.get("intermediates", {})

    def hidden(
        params: Params, x: Float[Array, "n ..."], erasures: Erasures = ()
    ) -> tuple[Array, tuple[Array, ...]]:
        output, sown = seen(params, x, erasures)
        activities = sown.get("hidden", ())
        rows = (a.reshape(a.shape[0], math.prod(a.shape[1:-1]), a.shape[-1]) for a in activities)
        return output, tuple(rows)

    def represent(params: Params, x: Float[Array, "n ..."]) -> Float[Array, "n unit"]:
        return seen(params, x, ())[1]["representation"][0]

    return Model(init, apply, hidden, represent, renew)
