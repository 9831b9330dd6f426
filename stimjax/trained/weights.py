"""What a student learned, as one file: safetensors of a deep one, skops of scikit-learn's.

Neither runs code when it is read. skops builds objects of the types in `TRUSTED` alone, beside
those that it knows as harmless itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import skops.io
from flax import traverse_util
from skops.io.exceptions import UntrustedTypesFoundException

from stimjax import models
from stimjax.batch import Spec
from stimjax.disk.documents import ModelFile
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError
from stimjax.students import classical
from stimjax.students.classical import CLASSICAL, Fitted
from stimjax.students.study import Networks

DEEP, CLASSIC = "weights.safetensors", "model.skops"
# What students of scikit-learn are made of: arrays of trees and of neighbors.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance",
    "sklearn.metrics._dist_metrics.EuclideanDistance32",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)

Learned = Networks | Fitted


def file_of(student: str) -> str:
    """The name of the file that holds a student's weights."""
    return CLASSIC if student in CLASSICAL else DEEP


def save(learned: Learned, folder: Path) -> None:
    """Write what was learned into `folder`; of a deep student one seed."""
    if isinstance(learned, Fitted):
        (folder / CLASSIC).write_bytes(skops.io.dumps(learned.model))
        return
    flat = traverse_util.flatten_dict(learned.params, sep="/")
    save_arrays(folder / DEEP, {name: np.asarray(leaf)[0] for name, leaf in flat.items()})


def load(folder: Path, about: ModelFile, spec: Spec) -> Learned:
    """Read what `save` wrote.

    Raises:
        StimjaxError: the file is missing, damaged, of another network, or holds a type that is
            not trusted.
    """
    if about.student in CLASSICAL:
        model = _skops(folder / CLASSIC)
        _refuse_other(model, classical.features_of(np.zeros((1, *spec.shape))), folder / CLASSIC)
        return Fitted(about.student, model, about.columns, len(about.classes))
    return _networks(folder / DEEP, about, spec)


def _skops(path: Path) -> Any:
    try:
        return skops.io.loads(path.read_bytes(), trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise StimjaxError(
            f"{path}: holds types that no student is made of ({' '.join(str(error).split())}); "
            "do not use it"
        ) from error
    except FileNotFoundError:
        raise StimjaxError(f"{path}: is missing") from None
    except Exception as error:  # of the archive, its JSON, or an object of another version
        reason = " ".join(str(error).split())[:200]
        raise StimjaxError(f"{path}: cannot be read ({reason}); fit the student again") from error


def _refuse_other(model: Any, features: np.ndarray, path: Path) -> None:
    """Refuse a model that does not take the features of such windows."""
    expected = getattr(model, "n_features_in_", None)
    if expected != features.shape[1]:
        raise StimjaxError(
            f"{path}: takes {expected} features, windows of spec.json give {features.shape[1]}"
        )


def _networks(path: Path, about: ModelFile, spec: Spec) -> Networks:
    model = models.classifier(about.student, spec.shape, len(about.classes))
    params = jax.eval_shape(model.init, jax.random.key(0))
    shapes: dict[str, Any] = dict(traverse_util.flatten_dict(params, sep="/"))
    arrays = load_arrays(path)
    wrong = sorted(shapes.keys() ^ arrays.keys()) or [
        name
        for name, leaf in shapes.items()
        if (arrays[name].shape, arrays[name].dtype) != (leaf.shape, leaf.dtype)
    ]
    if wrong:
        raise StimjaxError(f"{path}: is of no network {about.student} for such windows: {wrong[0]}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise StimjaxError(f"{path}: holds NaN or infinite values")
    stacked = {name: jnp.asarray(array)[None] for name, array in arrays.items()}
    return Networks(model, traverse_util.unflatten_dict(stacked, sep="/"))
