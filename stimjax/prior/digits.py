"""Digits that anybody may have, in the form of private images: scikit-learn's."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage

from stimjax.batch import Batch, Spec
from stimjax.data import images
from stimjax.prior.strip import NoPrior, Strip

BETWEEN = 1  # order of the splines between pixels: linear


@functools.lru_cache(maxsize=2)
def digits(form: Spec) -> Strip:
    """All 1,797 of them, at the size of `form`, from its lowest value to its highest.

    Where `form` has several channels, each holds the same.

    Raises:
        NoPrior: `form` is not of digits.
    """
    whole = images.digits()
    if form.classes != whole.spec.classes:
        raise NoPrior(
            "of such images nobody has others: there are scikit-learn's digits, of the classes "
            f"{', '.join(whole.spec.classes)}; choose a --method without a prior"
        )
    height, width, channels = form.shape
    small = np.asarray(whole.x)
    sizes = (1, height / small.shape[1], width / small.shape[2], 1)
    large = ndimage.zoom(small, sizes, order=BETWEEN)
    x = (form.low + large * (form.high - form.low)).astype(np.float32)  # over the last axis
    label = whole.label
    order = np.argsort(label, kind="stable")
    counts = np.bincount(label, minlength=len(form.classes))
    return Strip(
        x=x.reshape(-1, width, channels),
        start=(order * height).astype(np.int32),
        first=np.cumsum([0, *counts]).astype(np.int32),
        scored=np.arange(len(x)) * height,
        label=label,
        whose=np.arange(len(x)),
        simulated=np.ones(channels, bool),
        recorded=len(x) * height,
    )


def among(windows: Batch) -> bool:
    """Whether one of these images is one of the digits, value by value."""
    try:
        found = digits(windows.spec).x.reshape(-1, *windows.spec.shape)
    except NoPrior:
        return False
    own = {row.tobytes() for row in np.asarray(windows.x)}
    return any(row.tobytes() in own for row in found)
