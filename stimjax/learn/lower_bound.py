"""A lower bound of epsilon: what an attack on one training with these settings shows.

A ledger says what was promised. Whether the trainer keeps it is tried here as Steinke, Nasr and
Jagielski do ("Privacy auditing with one (1) training run", NeurIPS 2023, arXiv 2305.08846): of many
canaries, each a whole unit, a fair coin puts each in or leaves it out; the networks are trained
once; then the attacker guesses of the most certain ones which were in. Too many right guesses, and
epsilon is larger than was said.

- **Canaries** are the worst units that there can be. The network has one weight more for each, and
  a canary's loss depends on nothing but its own (a Dirac gradient, as in Nasr et al., USENIX
  Security 2023, arXiv 2302.07956). Its gradient is far longer than it may be. So it passes through
  sampling, clipping, sum and noise as all do, and none hides another.
- **The attacker** sees each step's noisy sum, which the guarantee takes for public. A canary's
  score is the inner product of its clipped gradient with these, summed over steps and networks.
- **The bounds**, with 95 % confidence, are jax-privacy's; see `Audited`.
- **No private window is used.** The other units are noise, and scores of canaries do not depend on
  them. So what is found may be published. The frequency of the classes is not attacked.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from stimjax import batch, config, models
from stimjax.batch import Batch, Spec
from stimjax.disk.documents import Audited
from stimjax.errors import StimjaxError
from stimjax.learn import dp
from stimjax.learn.ledger import Ledger
from stimjax.machine.extras import library
from stimjax.models import Model, Params

FIRST = 2.0**20  # a canary's window begins with this plus its number; float32 has all up to 2^24
LONG = 100.0  # a canary's gradient, in units of what it is clipped to
WRONG = 0.05  # probability with which a bound may be above epsilon


def audited(
    spec: Spec,
    settings: config.Dp,
    spent: Ledger,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Ledger:
    """The ledger with what `settings.canaries` canaries show.

    Args:
        spec: of the windows.
        settings: those of the training that the ledger is of.
        spent: what it says it spent.
        progress: called with steps done and in all.

    Raises:
        StimjaxError: they show that epsilon is larger than the ledger says.
    """
    score, inside = scores(spec, settings, spent, progress=progress)
    found = bounds(score, inside, settings.delta)
    if max(found.epsilon, found.gaussian) > spent.epsilon:
        raise StimjaxError(
            f"the teacher does not keep its guarantee of epsilon {spent.epsilon:.3g}. {found} "
            "Publish nothing that was made with it, and report this, see SECURITY.md"
        )
    return dataclasses.replace(spent, audited=found)


def scores(
    spec: Spec,
    settings: config.Dp,
    spent: Ledger,
    *,
    entropy: int | None = None,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> tuple[Float[np.ndarray, " canary"], Bool[np.ndarray, " canary"]]:
    """Train once with canaries: how much each seems to be in, and whether it is.

    Noise and sampling are those of the ledger's last expense, which is a network's.

    Args:
        spec: of the windows.
        settings: networks, steps, windows, clip and so on; `canaries` is how many there are.
        spent: the ledger that is tried.
        entropy: that seeds everything, for tests only; by default the operating system's.
        progress: called with steps done and in all.
    """
    rng = np.random.default_rng(secrets.randbits(128) if entropy is None else entropy)
    names, steps = tuple(dict.fromkeys(settings.networks)), settings.steps
    inside = rng.random(settings.canaries) < 0.5
    cohort = _cohort(spec, settings, inside, rng)
    look = spent.expenses[-1]
    share = dp.Budget(spent, look.noise, None, look.sampling)
    task = dp.Task(cohort, dp.owners(cohort, settings.unit), share, settings.batch, settings)
    noisy = []
    for i, name in enumerate(names):
        network = models.classifier(name, spec.shape, len(spec.classes))
        model = with_canaries(network, len(inside), LONG * settings.clip * len(spec.classes))
        start = model.init(jax.random.key(i))
        dp.descend(
            model,
            start,
            task,
            rng,
            lambda step, i=i: progress(i * steps + step, len(names) * steps),
            lambda total: noisy.append(np.asarray(total["canaries"])),
        )
    return np.sum(noisy, axis=0, dtype=float), inside


def bounds(
    score: Float[np.ndarray, " canary"], inside: Bool[np.ndarray, " canary"], delta: float
) -> Audited:
    """What scores of canaries show, at this delta; and what perfect ones would show."""
    auditor = library("jax_privacy.auditing").CanaryScoreAuditor

    def shown(scores: Float[np.ndarray, " canary"]) -> tuple[float, float]:
        one = auditor(scores[inside], scores[~inside])
        by = (one.epsilon_one_run, one.epsilon_one_run_fdp)
        any_, gaussian = (float(bound(WRONG, delta)) for bound in by)
        return any_, gaussian

    return Audited(len(score), *shown(score), *shown(inside.astype(float)))


def with_canaries(model: Model, canaries: int, length: float) -> Model:
    """A network with a weight more for each canary.

    What it says of a canary's window depends on this weight alone: a logit of 0 for the first class
    that grows by `length` with the weight, wherever that is. All other classes have 0.
    """

    def init(key: Array) -> Params:
        return {"network": model.init(key), "canaries": jnp.zeros(canaries)}

    def apply(
        params: Params, x: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n classes"]:
        number = x.reshape(len(x), -1)[:, 0] - FIRST
        marked = number >= 0
        # Their large numbers would be squared in the network, and 0 times infinity is no 0.
        others = jnp.where(marked.reshape(-1, *[1] * (x.ndim - 1)), 0, x)
        logits = model.apply(params["network"], others, key)
        weight = params["canaries"][jnp.where(marked, number, 0).astype(int)]
        steep = length * (weight - jax.lax.stop_gradient(weight))
        canary = jnp.zeros_like(logits).at[:, 0].set(steep)
        return jnp.where(marked[:, None], canary, logits)

    return Model(init, apply)


def _cohort(
    spec: Spec, settings: config.Dp, inside: Bool[np.ndarray, " canary"], rng: np.random.Generator
) -> Batch:
    """A window of each canary that is in, all of the last class, and as many units as a step has.

    A canary's one window stands for all that a step would take of it.
    """
    each = 1 if settings.unit == "window" else settings.windows
    numbers, noise = np.flatnonzero(inside), settings.batch * each
    x = rng.normal(size=(len(numbers) + noise, *spec.shape)).astype(np.float32)
    x.reshape(len(x), -1)[: len(numbers), 0] = FIRST + numbers
    label = rng.integers(0, len(spec.classes), len(x))
    label[: len(numbers)] = len(spec.classes) - 1
    subject = np.concatenate([numbers, len(inside) + np.arange(noise) // each])
    return batch.make(x, batch.one_hot(label, spec), spec, subject=subject)
