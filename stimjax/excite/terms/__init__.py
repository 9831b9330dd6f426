"""The terms of an objective by name, one file each; `stimjax.config.recipes.Terms` weighs them."""

from stimjax.excite.kind import Kind
from stimjax.excite.terms.consistency import CONSISTENCY
from stimjax.excite.terms.cross_entropy import CROSS_ENTROPY
from stimjax.excite.terms.disagreement import DISAGREEMENT
from stimjax.excite.terms.embedding import EMBEDDING
from stimjax.excite.terms.features import FEATURES, FEATURES_GLOBAL
from stimjax.excite.terms.identity import IDENTITY
from stimjax.excite.terms.moments import MOMENTS
from stimjax.excite.terms.term import LANES, Excited, Term

__all__ = ["LANES", "TERMS", "Excited", "Term"]

TERMS: dict[str, Kind[Term]] = {
    "cross_entropy": CROSS_ENTROPY,
    "features": FEATURES,
    "features_global": FEATURES_GLOBAL,
    "moments": MOMENTS,
    "embedding": EMBEDDING,
    "disagreement": DISAGREEMENT,
    "consistency": CONSISTENCY,
    "identity": IDENTITY,
}
