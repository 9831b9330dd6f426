"""Where a stimulus starts: one file a source, with what each uses of the private data."""

from stimjax.excite.sources.generic import GENERIC
from stimjax.excite.sources.kind import Kind, Source, Statistics
from stimjax.excite.sources.mixture import MIXTURE
from stimjax.excite.sources.noise import NOISE
from stimjax.excite.sources.spectral import SPECTRAL

__all__ = ["SOURCES", "Kind", "Source", "Statistics"]

# By the name that a recipe gives them; `generator` needs a network and no data.
SOURCES: dict[str, Kind] = {
    "noise": NOISE,
    "generic": GENERIC,
    "spectral": SPECTRAL,
    "mixture": MIXTURE,
}
