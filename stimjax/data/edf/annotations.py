"""The annotation lists of an EDF+ file: when its data records begin, and what was remarked.

Format: Kemp and Olivan 2003 (EDF+), edfplus.info.
"""

from __future__ import annotations

import re

import numpy as np

from stimjax.data.edf.layout import EdfLayout
from stimjax.data.recording import Remark
from stimjax.errors import StimjaxError

_ALL = slice(None)
_LONGEST = 14 * 86400.0  # s; more between two data records is a damaged time stamp
# A time-stamped annotation list: onset, duration or none, texts (EDF+ 2.2.2).
_TAL = re.compile(
    rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14((?:[^\x14\x00]*\x14)+)(?:\x00|$)"
)


def onsets(edf: EdfLayout, only_ends: bool = False) -> np.ndarray:
    """When each data record begins, f64[record], in s from the header's start time.

    The time stamps of EDF+ count even where the file calls itself continuous: recorders that
    paused have written such files, and pyedflib would join the parts.

    Args:
        edf: the layout of the file.
        only_ends: read the first and the last data record only, f64[2].

    Raises:
        StimjaxError: a data record of an EDF+D file has no time stamp, or they do not increase.
    """
    wanted = np.array([0, edf.records - 1]) if only_ends else np.arange(edf.records)
    if not edf.plus:
        return wanted * edf.record_seconds
    times = _time_stamps(edf, wanted)
    if np.isnan(times).any():
        if not edf.discontinuous:
            return wanted * edf.record_seconds
        record = int(wanted[np.isnan(times).argmax()])
        raise StimjaxError(f"{edf.path}: data record {record} has no time stamp; export it again")
    early = np.diff(times) < np.diff(wanted) * edf.record_seconds - edf.half_sample
    if early.any() or times[-1] - times[0] > _LONGEST + edf.records * edf.record_seconds:
        raise StimjaxError(
            f"{edf.path}: the time stamps of its data records are damaged; export it again"
        )
    return times


def _time_stamps(edf: EdfLayout, records: np.ndarray) -> np.ndarray:
    """The onsets that the first annotation lists of data records state (EDF+ 2.2.4), or NaN."""
    if not edf.annotations:
        return np.full(len(records), np.nan)
    content, size = _annotations_of(edf, edf.annotations[0], records)
    matches = (_TAL.match(content, start) for start in range(0, len(content), size))
    return np.array([float(match[1]) if match else np.nan for match in matches])


def _annotations_of(
    edf: EdfLayout, signal: tuple[int, int], records: np.ndarray | slice = _ALL
) -> tuple[bytes, int]:
    """What data records hold of an annotation signal, and the bytes of each.

    One text for all: a night has tens of thousands of data records, and a look into each of its
    own is slow. A zero ends each, so that nothing reaches from one into the next.
    """
    first, samples = signal
    held = edf.data()[records, first : first + samples]
    return np.pad(held, ((0, 0), (0, 1))).tobytes(), 2 * (samples + 1)


def remarks(edf: EdfLayout, origin: float = 0.0) -> tuple[Remark, ...]:
    """The annotations of an EDF+ file, in its order: of two scorers the first listed counts.

    Args:
        edf: the layout of the file.
        origin: what is subtracted from each onset, in s from the header's start time.
    """
    listed: list[Remark] = []
    for signal in edf.annotations:
        content, _ = _annotations_of(edf, signal)
        for onset, duration, texts in _TAL.findall(content):
            for text in texts.split(b"\x14"):
                if text:
                    decoded = text.decode("utf-8", errors="replace")
                    length = float(duration) if duration else None
                    listed.append(Remark(float(onset) - origin, length, decoded))
    return tuple(listed)
