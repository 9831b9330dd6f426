"""What anybody may have, in the form of private windows: one long strip, and where windows begin.

Signals lie one after another in time. Images lie one below the other: every start is a multiple of
their height. So a source draws both in one way.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from stimjax.errors import StimjaxError


class NoPrior(StimjaxError):
    """There is nothing that anybody may have in the form of these windows."""


@dataclasses.dataclass(frozen=True)
class Strip:
    """Nights one after another, or images.

    Attributes:
        x: values in units of the private windows, of those `channels` that there are; 0 else.
        start: samples at which a carrier may begin, class by class.
        first: where the starts of each class begin, and their end.
        scored: samples at which a labelled window begins.
        label: its class.
        whose: number of the sleeper whose it is, or of the image.
        simulated: the channels that there are, in front of
        recorded: the first sample of recordings, which have all channels.
    """

    x: Float[np.ndarray, "sample ..."]
    start: Int[np.ndarray, " _starts"]
    first: Int[np.ndarray, " _bounds"]
    scored: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    whose: Int[np.ndarray, " n"]
    simulated: Bool[np.ndarray, " channel"]
    recorded: int

    def there(self, starts: Int[np.ndarray, " n"]) -> Bool[np.ndarray, "n channel"]:
        """The channels that there are in windows that begin at these samples."""
        return self.simulated | (starts >= self.recorded)[:, None]
