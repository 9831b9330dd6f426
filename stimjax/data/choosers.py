"""The validation part in two: who chooses a teacher, and who may stand for anybody else.

Whoever chooses steps and weights of a teacher's networks has had a small part in it, and is no
stranger to the release. So half of the validation part's subjects choose, and the other half, whom
nothing has looked at, are the cohort that attackers in an audit have of their own.
"""

from __future__ import annotations

import numpy as np

from stimjax.batch import Batch

FEWEST = 4  # subjects that are divided; fewer serve as both, and an audit has nobody else


def halves(validation: Batch) -> tuple[Batch, Batch]:
    """Choosers and cohort, by subject, the milder and the more severe in both.

    Subjects are put in order of how often their windows are of the first class, and taken in turns.
    Where there are less than `FEWEST` both are the whole part.
    """
    subjects, place = np.unique(np.asarray(validation.subject), return_inverse=True)
    if len(subjects) < FEWEST:
        return validation, validation
    first = np.asarray(validation.y)[:, 0]
    often = np.bincount(place, first) / np.bincount(place)
    rank = np.argsort(np.argsort(often, kind="stable"))
    apart = rank[place] % 2 == 1
    return validation[~apart], validation[apart]
