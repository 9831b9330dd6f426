"""Stimuli as one EDF+ file, one after another: a data record each, its class as an annotation.

Written by edfio, for pyedflib ends a data record after 60 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np

from stimjax.batch import Batch, Channel
from stimjax.errors import StimjaxError

# The type of signal in front of a name, as EDF+ has it (section 3.1 of its "standard texts") and
# MNE-Python (`infer_types`), which takes what it does not know for EEG.
_TYPES = {
    **dict.fromkeys(("chest", "abdomen", "flow"), "Resp"),
    **{"SpO2": "SaO2", "EOG": "EOG", "EMG": "EMG", "ECG": "ECG"},
}
_TYPED = ("EEG ", "EOG ", "EMG ", "ECG ", "Resp ", "SaO2 ", "Temp ")
_OTHER = "Misc"  # MNE's word; EDF+ has none for a heart rate or a position


def write(stimuli: Batch, path: Path) -> None:
    """Write the file.

    Values are physical where the spec says how (`Channel`), and rounded to 65,534 steps. An
    annotation stands over the seconds of a stimulus that its label speaks of, and is the name of
    its most probable class.

    Raises:
        StimjaxError: the stimuli are images, or EDF+ cannot hold their length or values.
    """
    spec = stimuli.spec
    if spec.rate is None:
        raise StimjaxError("images are no signals; choose npz or parquet")
    seconds = spec.shape[0] / spec.rate
    spans = [
        edfio.EdfAnnotation(
            i * seconds + spec.label_start, spec.label_seconds or seconds, spec.classes[k]
        )
        for i, k in enumerate(stimuli.label.tolist())
    ]
    try:
        file = edfio.Edf(
            [
                _signal(channel, np.asarray(stimuli.x)[..., i].ravel(), spec.rate)
                for i, channel in enumerate(spec.channels)
            ],
            patient=edfio.Patient(code="stimuli"),
            recording=edfio.Recording(equipment_code="stimjax"),
            data_record_duration=seconds,
            annotations=spans,
        )
    except ValueError as error:
        raise StimjaxError(
            f"EDF+ cannot hold windows of {spec.shape[0]} samples at {spec.rate:g} Hz ({error}); "
            "choose npz or parquet"
        ) from error
    file.write(path)


def _signal(channel: Channel, values: np.ndarray, rate: float) -> edfio.EdfSignal:
    """A channel of all stimuli, in its unit."""
    low = short(channel.low * channel.scale + channel.center, math.floor)
    high = short(channel.high * channel.scale + channel.center, math.ceil)
    physical = np.clip(values.astype(float) * channel.scale + channel.center, low, high)
    unit = channel.unit if channel.normalization == "fixed" else "1"
    return edfio.EdfSignal(
        physical,
        rate,
        label=_ascii(_label(channel.name), 16),
        transducer_type="stimuli of stimjax",
        physical_dimension=_ascii(unit, 8),
        physical_range=(low, high),
        digital_range=(-32767, 32767),
    )


def _label(name: str) -> str:
    """The name of a channel behind the type of its signal."""
    return name if name.startswith(_TYPED) else f"{_TYPES.get(name, _OTHER)} {name}"


def short(value: float, rounded: Callable[[float], int]) -> float:
    """`value`, rounded until it fits into the eight characters that EDF has for it.

    Raises:
        StimjaxError: no rounding makes it fit.
    """
    for digits in range(6, -1, -1):
        found = rounded(value * 10**digits) / 10**digits
        if len(f"{found:.{digits}f}") <= 8:
            return found
    raise StimjaxError(f"EDF+ cannot hold values as large as {value:g}; choose npz or parquet")


def _ascii(text: str, most: int) -> str:
    plain = text.replace("µ", "u").replace("μ", "u").encode("ascii", "replace").decode()
    return plain[:most].strip()
