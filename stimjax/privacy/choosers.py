"""Those who chose a teacher, in two: some who are asked about, and a cohort to ask with.

The validation part's subjects choose steps and weights of a teacher's networks. So they have had a
small part in it, and an audit asks what the release tells of them, too. It needs a cohort for that,
which is the other half of them.
"""

from __future__ import annotations

import numpy as np

from stimjax.batch import Batch

FEWEST = 4  # subjects that are divided


def halves(validation: Batch) -> tuple[Batch, Batch]:
    """Two halves of the subjects, the milder and the more severe in both.

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
