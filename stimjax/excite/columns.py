"""What a release says of each stimulus beside the teacher's label: columns of their own.

linear: the class that a linear classifier of the private windows calls, one-hot f32[n, class], for
    students that are linear.
origin: 0 of a night or an image that anybody may have, 1 random, i32[n]; for whoever wants one kind
    alone.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from stimjax.batch import Batch
from stimjax.config.recipes import Recipe
from stimjax.excite import rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.learn import linear

LINEAR, ORIGIN = "linear", "origin"
SIMULATED, RANDOM = 0, 1
USES = (
    "a linear classifier of the training windows: the class that it calls, as a second label of "
    "the stimuli",
)


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """`linear.weight f32[value, class]`, `linear.bias f32[class]` and `linear.behind.all`."""
    del labeler, earlier
    crowd, classes = rows.everybody(train), train.y.shape[1]
    weight, bias = linear.fit(crowd.of(train.x), crowd.label, classes)
    return {
        f"{LINEAR}.weight": weight,
        f"{LINEAR}.bias": bias,
        f"{LINEAR}.{rows.BEHIND}.all": rows.of_all(crowd),
    }


def random(numbers: Int[np.ndarray, " n"], part: float) -> Bool[np.ndarray, " n"]:
    """Whether shards of these numbers are of random signals, which are the `part` of any of them.

    A shard is of one origin: its lanes need not tell.
    """
    ends = np.floor((np.asarray(numbers)[:, None] + [0, 1]) * part + 1e-9)
    return ends[:, 1] > ends[:, 0]


def of(
    x: Float[np.ndarray, "n ..."],
    recipe: Recipe,
    statistics: Statistics,
    number: int | None = None,
) -> dict[str, np.ndarray]:
    """The columns that `recipe` has for stimuli, which are those of shard `number` if any."""
    columns = {}
    if recipe.linear:
        weight, bias = (np.asarray(statistics[f"{LINEAR}.{part}"]) for part in ("weight", "bias"))
        columns[LINEAR] = linear.labels(weight, bias, x)
    if recipe.source == "public" and number is not None:
        one = RANDOM if random(np.array([number]), recipe.random)[0] else SIMULATED
        columns[ORIGIN] = np.full(len(x), one, np.int32)
    return columns


COLUMNS: dict[str, Kind[str]] = {
    "linear": Kind(lambda spec, statistics, recipe: LINEAR, (Statistic(LINEAR, measure),), USES),
}
