"""Where a stimulus starts: one file a source, with what each uses of the private data."""

from stimjax.excite.sources.generic import GENERIC
from stimjax.excite.sources.kind import Kind, Source, Statistics
from stimjax.excite.sources.latent import latent
from stimjax.excite.sources.mixture import MIXTURE
from stimjax.excite.sources.noise import NOISE
from stimjax.excite.sources.spectral import SPECTRAL

__all__ = ["SOURCES", "Kind", "Source", "Statistics", "latent"]

# By the name that a recipe gives them; `latent` needs a size and no data.
SOURCES: dict[str, Kind] = {
    "noise": NOISE,
    "generic": GENERIC,
    "spectral": SPECTRAL,
    "mixture": MIXTURE,
}
