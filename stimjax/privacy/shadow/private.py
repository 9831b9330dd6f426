"""Shadow teachers of a release with a formal guarantee, trained as its teacher was.

With its own epsilon, delta, unit, clipped length, steps and windows of a unit, by the same step
(`learn.dp`). What differs is how many units there are. A step draws as large a part of them as the
release's teacher drew of its own, and with the same budget the noise is then the same too, in units
of what one unit may change: a unit stands out in a shadow's teacher as it does in the release's.
The mean that noise is added to is over fewer units, so that a shadow knows less of everybody.

Nothing is measured of how frequent classes are. Chance follows seeds: a shadow protects nobody.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int

from stimjax import config
from stimjax.batch import Batch
from stimjax.learn import dp
from stimjax.learn.step import Windows
from stimjax.machine import mesh
from stimjax.models import Model, Params
from stimjax.privacy.shadow.placing import NETWORKS, placed

Given = tuple[Params, Array, Array]  # first parameters, keys of the noise, and rows; of networks


def train(
    model: Model,
    windows: Batch,
    rows: Sequence[Int[np.ndarray, " _"]],
    seeds: Sequence[int],
    settings: config.Dp,
    first: Params | None = None,
) -> Params:
    """Train one network from each seed, on its own rows of `windows`; the cores share them.

    Args:
        model: the network.
        windows: of all.
        rows: those of each.
        seeds: of each network's initial weights, of who takes part, and of the noise.
        settings: of the release's teacher; `units` is how many it had.
        first: parameters that all start from; by default random ones of their own.

    Returns:
        Parameters with a leading axis, one entry for each seed.

    Raises:
        StimjaxError: windows name no subjects, or a package is missing.
    """
    owner = dp.owners(windows, settings.unit)
    units = max(len(np.unique(owner[own])) for own in rows)
    settings = scaled(settings, units)
    share = dp.budget(units, settings)
    drawn, keys = [], []
    for own, seed in zip(rows, seeds, strict=True):
        rng = np.random.default_rng(seed)
        index = dp.draws(owner[own], share.sampling, settings, rng)
        drawn.append(np.where(index < 0, -1, own[index]).astype(np.int32))
        keys.append(rng.integers(2**32, dtype=np.uint32))
    devices = mesh.shared(len(seeds), "network")
    own, noise = (jax.vmap(jax.random.key)(np.asarray(s, np.uint32)) for s in (seeds, keys))
    start = jax.vmap(lambda key: model.init(key) if first is None else first)(own)
    given = jax.device_put((start, noise, _filled(drawn)), NamedSharding(devices, NETWORKS))
    deviation = jax.device_put(np.float32(share.noise), NamedSharding(devices, PartitionSpec()))
    data = deviation, placed(windows, devices)
    params = _descended(model, settings, devices, data, given)
    return jax.tree.map(jnp.asarray, jax.device_get(params))  # on one device again


def scaled(settings: config.Dp, units: int) -> config.Dp:
    """`settings` for so many units, of which a step draws the same part."""
    sampling = min(1.0, settings.batch / settings.units)
    return dataclasses.replace(settings, units=units, batch=max(1, round(sampling * units)))


def _filled(drawn: Sequence[Int[np.ndarray, "step unit window"]]) -> np.ndarray:
    """The rows of all networks, with units that are none up to the most that one has room for."""
    room = max(index.shape[1] for index in drawn)
    return np.stack(
        [
            np.pad(index, [(0, 0), (0, room - index.shape[1]), (0, 0)], constant_values=-1)
            for index in drawn
        ]
    )


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _descended(
    model: Model, settings: config.Dp, devices: Mesh, data: tuple[Array, Windows], given: Given
) -> Params:
    """The parameters of each network; `data` are the noise of a step, and all windows."""
    expected = min(settings.batch, settings.units)

    def one(data: tuple[Array, Windows], given: Given) -> Params:
        deviation, windows = data
        start, noise, rows = given
        changed, begin, whole = dp.trained(model, start, settings, windows[1].shape[1])
        own = dp.rule(changed, settings, expected, rows.shape[2], deviation, noise)

        def step(state: dp.State, given: tuple[Array, Array]) -> tuple[dp.State, None]:
            return dp.step(own, windows, state, *given)[0], None

        shares = jnp.asarray(dp.shares(len(rows)))
        return whole(jax.lax.scan(step, dp.begin(own, begin), (rows, shares))[0].mean)

    def share(data: tuple[Array, Windows], given: Given) -> Params:
        return jax.lax.map(functools.partial(one, data), given)

    parts = PartitionSpec(), NETWORKS
    return jax.shard_map(share, mesh=devices, in_specs=parts, out_specs=NETWORKS, check_vma=False)(
        data, given
    )
