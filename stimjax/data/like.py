"""A night in the form of windows that are there already, scored or not: of a release, say.

The `spec.json` of a folder tells how a recording is prepared, see `Plan`. A model of windows is
used on a whole night, so that every minute (or epoch) of it has a place here, also one that nobody
scored and one that cannot be used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from stimjax.data import channels, reader
from stimjax.data.condition import Conditioned, condition, kind_of
from stimjax.data.plan import Plan, of_spec
from stimjax.data.preparation import max_missing
from stimjax.data.recording import Recording
from stimjax.data.scoring import rules
from stimjax.data.scoring.vocabulary import NO_WORDS
from stimjax.data.windows import BRIDGED, MASKED, OUTSIDE, said, why_not
from stimjax.disk.documents.made import FILE
from stimjax.errors import StimjaxError
from stimjax.spec import Channel, Spec, load_spec

NOT_SCORED = -1  # the class of a minute, or an epoch, that nobody scored


@dataclasses.dataclass(frozen=True)
class Like:
    """How nights are prepared, so that they are like windows that are there.

    Attributes:
        spec: of these windows.
        plan: the same as what is done to a recording; its `wishes` may name labels, see `asking`.
        max_missing: a window is not used if more than this part of a channel is masked.
    """

    spec: Spec
    plan: Plan
    max_missing: float


@dataclasses.dataclass(frozen=True)
class Night:
    """A night, prepared.

    Attributes:
        recording: with what was scored in it, if anything.
        conditioned: its signals, columns as in the windows.
        start: where each minute (of apnea) or epoch of 30 s (of stages) begins that a label speaks
            of, in s from the recording's start, in order; the window begins `plan.before` earlier.
        why: "" where its window can be used, else the reason (`windows.why_not`).
        label: its class, `NOT_SCORED` where nobody scored it.
        x: the windows that can be used, in order.
    """

    recording: Recording
    conditioned: Conditioned
    start: Float[np.ndarray, " n"]
    why: Shaped[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    x: Float[np.ndarray, "usable time channel"]


def like(folder: Path) -> Like:
    """How a night becomes windows like those of a folder.

    Args:
        folder: with a `spec.json`: a release, windows, or a model that is kept with one.

    Raises:
        StimjaxError: there is no `spec.json`, it is damaged, of images, or of windows that other
            rules made.
    """
    where = folder / FILE
    if not where.is_file():
        raise StimjaxError(
            f"{where}: is missing; name a release, or a folder that `stimjax prepare` made"
        )
    spec = load_spec(folder)
    try:
        plan = of_spec(spec)
        for channel in spec.channels:
            _refuse_other(channel)
    except StimjaxError as error:
        raise StimjaxError(f"{where}: {error}") from error
    return Like(spec, plan, max_missing(folder, plan))


def _refuse_other(channel: Channel) -> None:
    """Refuse a channel whose numbers mean something else than what `condition` makes."""
    kind = kind_of(channel.name)
    ours = (kind.normalization, kind.center, kind.scale)
    if (channel.normalization, channel.center, channel.scale) != ours:
        raise StimjaxError(
            f"its channel {channel.name!r} was normalized by other rules than those of this "
            "version; install the version that made it"
        )


def asking(like: Like, texts: Sequence[str]) -> Like:
    """The same, with what is asked of a recording for some channels, see `wished`."""
    return dataclasses.replace(like, plan=wished(like.plan, texts))


def wished(plan: Plan, texts: Sequence[str]) -> Plan:
    """The same, with what is asked of a recording for some channels.

    Args:
        plan: of windows that are there.
        texts: each "NAME=LABEL" of the recordings' own labels (`channels.wishes`); several of one
            channel are tried in their order, and then "NAME" alone if it is among them.

    Raises:
        StimjaxError: a name is none of the windows' channels.
    """
    own: dict[str, list[str]] = {name: [] for name in plan.channels}
    for text in texts:
        for wish in channels.wishes([text]):
            asked = text.partition("=")[0].strip().casefold()
            names = [n for n in own if n.casefold() == asked] or [n for n in own if n == wish.kind]
            if not names:
                raise StimjaxError(
                    f"--channels {text!r}: the windows have no such channel; write NAME=LABEL, "
                    f"where NAME is one of {', '.join(own)}"
                )
            own[names[0]] += [f"{names[0]}={one}" for one in wish.patterns] or [names[0]]
    wishes = tuple(text for name, texts in own.items() for text in texts or [name])
    return dataclasses.replace(plan, wishes=wishes)


def night(path: Path, like: Like, words: Mapping[str, str] = NO_WORDS) -> Night:
    """A recording, prepared; one that nobody scored as well.

    Where it is scored its labelled spans stand where `rules.spans` has them. Whole spans without a
    label fill what is left from the recording's start on.

    Args:
        path: of the recording.
        like: how it is prepared.
        words: a user's own words of a scoring, see `vocabulary.kind`.

    Raises:
        StimjaxError: it cannot be read, or it lacks a channel, one that can be used, or a window.
    """
    plan = like.plan
    _refuse_lacking(path, plan)
    recording = reader.read(path, plan.wishes, words)
    spans = _spans(recording, plan)
    conditioned = condition(recording, plan.channels, plan.rate)
    start = np.array([begin for begin, _ in spans], float)
    at = np.round((start - plan.before) * plan.rate).astype(int)
    why = why_not(at, conditioned, plan, like.max_missing)
    if not (why == "").any():
        raise StimjaxError(f"{path}: {_useless(why, like)}; leave it out")
    x = conditioned.x[at[why == "", None] + np.arange(plan.length)]
    label = np.array([number for _, number in spans], int)
    return Night(recording, conditioned, start, why, label, x)


def _refuse_lacking(path: Path, plan: Plan) -> None:
    """Refuse a recording without one of the channels, before its samples are read."""
    header = reader.header(path, plan.wishes)
    for name in plan.channels:
        if name not in header.rates:
            labels = ", ".join(repr(signal.label) for signal in header.signals)
            raise StimjaxError(
                f"{path}: has no channel {name!r}, which the windows have; its signals are "
                f"{labels}; if one of these is, name it: --channels {name!r}=LABEL"
            )


def _useless(why: np.ndarray, like: Like) -> str:
    left_out = {reason: int((why == reason).sum()) for reason in (OUTSIDE, MASKED, BRIDGED)}
    if left_out[OUTSIDE] == len(why):
        return f"is too short: a window takes {like.plan.length / like.plan.rate:g} s"
    return f"none of its {len(why)} windows can be used: {said(left_out, like.max_missing)}"


def _spans(recording: Recording, plan: Plan) -> list[tuple[float, int]]:
    """Where every span of a night begins, in order, and its class."""
    scored = rules.spans(recording, plan.task) if rules.scored(recording, plan.task) else []
    spans: list[tuple[float, int]] = []
    free = 0.0  # what lies before it has its spans
    for begin, seconds, label in scored:
        spans += _unscored(free, begin, seconds)
        spans.append((begin, label))
        free = max(free, begin + seconds)
    return spans + _unscored(free, recording.header.duration, plan.label_seconds)


def _unscored(begin: float, end: float, seconds: float) -> list[tuple[float, int]]:
    """As many whole spans as there is room for."""
    room = int((end - begin + rules.ROUNDING) // seconds)
    return [(begin + seconds * number, NOT_SCORED) for number in range(room)]
