"""The methods by name: each a composition of source, parametrization, objective, acceptance."""

from __future__ import annotations

from collections.abc import Callable

from stimjax import config
from stimjax.batch import Spec
from stimjax.excite import accept, objective, parametrization, source
from stimjax.excite.adam import adam
from stimjax.excite.lanes import Method
from stimjax.store import StimjaxError


def paper(spec: Spec, settings: config.Synthesis) -> Method:
    """Nikolaidis et al., JAIR 72 (2021), arXiv 2009.10007; the generator's architecture is ours."""
    return Method(
        source=source.latent(settings.latent),
        parametrization=parametrization.generator(settings.generator, spec, settings.latent),
        objective=objective.weighted({"cross_entropy": 1.0}),
        acceptance=accept.confidence(
            len(spec.classes), settings.lowest, settings.highest, settings.tries
        ),
        optimizer=adam(settings.rate),
    )


METHODS: dict[str, Callable[[Spec, config.Synthesis], Method]] = {"paper": paper}

# What of the private data each method uses; written into the manifest.
USES: dict[str, tuple[str, ...]] = {
    "paper": (
        "the teacher: its gradients while stimuli are made, and its softmax as their labels",
        "the range of each channel in the training windows, two numbers a channel",
        "whether a try reached its threshold",
    )
}


def method(spec: Spec, settings: config.Synthesis) -> Method:
    """The method that `settings` names, for windows of `spec`.

    Raises:
        StimjaxError: there is no such method.
    """
    if settings.method not in METHODS:
        raise StimjaxError(
            f"there is no method {settings.method!r}; choose one of {', '.join(METHODS)}"
        )
    return METHODS[settings.method](spec, settings)
