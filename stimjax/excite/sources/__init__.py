"""Where a stimulus starts: one file a source, with what each uses of the private data."""

from stimjax.excite.kind import Kind
from stimjax.excite.sources.generator import GENERATOR
from stimjax.excite.sources.generic import GENERIC
from stimjax.excite.sources.mixture import MIXTURE
from stimjax.excite.sources.noise import NOISE
from stimjax.excite.sources.public import PUBLIC
from stimjax.excite.sources.source import Source
from stimjax.excite.sources.spectral import SPECTRAL

__all__ = ["SOURCES", "Source"]

# By the name that a recipe gives them.
SOURCES: dict[str, Kind[Source]] = {
    "generator": GENERATOR,
    "noise": NOISE,
    "generic": GENERIC,
    "public": PUBLIC,
    "spectral": SPECTRAL,
    "mixture": MIXTURE,
}
