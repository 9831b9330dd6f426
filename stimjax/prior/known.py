"""What anybody may know, as a teacher and all that follows from it are handed it."""

from __future__ import annotations

import dataclasses
from typing import Any

from stimjax import config
from stimjax.batch import Batch, Spec
from stimjax.data.public import Recorded
from stimjax.prior import digits, nights
from stimjax.prior.strip import NoPrior, Strip


@dataclasses.dataclass(frozen=True)
class Known:
    """What anybody may know.

    Attributes:
        settings: which sleepers are simulated, and how much a teacher learns from all of it.
        recorded: nights that anybody may have, in the form of the private windows.
        own: whether it is private windows themselves, so that there is nothing else to know.
    """

    settings: config.Prior = config.NO_PRIOR
    recorded: tuple[Recorded, ...] = ()
    own: bool = False

    @property
    def identity(self) -> list[Any]:
        """What makes two of them the same, as JSON has it."""
        recorded = [dataclasses.asdict(one.about) for one in self.recorded]
        return [dataclasses.asdict(self.settings), self.own, recorded]


SIMULATED = Known()  # whom no network has met


def known(settings: config.Prior, train: Batch, recorded: tuple[Recorded, ...] = ()) -> Known:
    """What anybody may know beside the private windows `train`."""
    return Known(settings, recorded, own=len(train.spec.shape) == 3 and digits.among(train))


def strip(prior: Known, spec: Spec) -> Strip:
    """All of it, in the form of windows of `spec`: nights of sleepers, or images.

    Raises:
        NoPrior: nobody has such windows, or none but the private ones.
        StimjaxError: they lack a class.
    """
    if prior.own:
        raise NoPrior(
            "the private images are those that anybody may have, so that there are no others to "
            "draw from or to learn from; choose a --method without a prior"
        )
    if len(spec.shape) == 3:
        return digits.digits(spec)
    return nights.nights(prior.settings, nights.form_of(spec), prior.recorded)
