"""Who goes into which part: train, validation, test."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from stimjax.errors import StimjaxError

PARTS = ("train", "validation", "test")


class Shares(NamedTuple):
    """How much of subjects or windows each part gets; training has the rest.

    Attributes:
        validation: share of the validation part.
        test: share of the test part; with `folds` above 1 it is not used.
        seed: of all chance.
        folds: above 1, the test part is one of so many disjoint folds that cover all.
        fold: its number, from 0.
    """

    validation: float
    test: float
    seed: int
    folds: int = 1
    fold: int = 0


def by_subject(severity: dict[int, float], named: set[int], shares: Shares) -> dict[int, str]:
    """A part for each subject, such that every part has mild and severe ones.

    Subjects are put in order of severity and taken at equal steps from a random start (systematic
    sampling), so that each part gets its share from the whole range.

    Args:
        severity: of each subject, by number; for apnea the part of its windows that are apnea.
        named: subjects that make up the test part.
        shares: of the parts; that of the test is not used where `named` has some.

    Raises:
        StimjaxError: a part would have no subject.
    """
    validation, test, seed, folds, fold = shares
    rng = np.random.default_rng(seed)
    subjects = sorted(severity)
    tie = dict(zip(subjects, rng.random(len(subjects)), strict=True))
    order = sorted(subjects, key=lambda subject: (severity[subject], tie[subject]))
    part = dict.fromkeys(subjects, "train")
    if folds > 1:
        test = 1 / folds
        dealt = _dealt(order, folds, rng)
        tested = {subject for subject in order if dealt[subject] == fold}
    else:
        tested = named or _systematic(order, test, rng)
    rest = [subject for subject in order if subject not in tested]
    validated = _systematic(rest, validation / (1 if named else 1 - test), rng)
    part |= dict.fromkeys(tested, "test") | dict.fromkeys(validated, "validation")
    absent = [name for name in PARTS if name not in part.values()]
    if folds > 1 and folds > len(subjects):
        raise StimjaxError(
            f"--folds {folds}: {len(subjects)} subjects leave a fold with none; give at most "
            f"{len(subjects)}, or split windows at random (--split random)"
        )
    if absent:
        raise StimjaxError(
            f"{len(subjects)} subjects leave none for {absent[0]}; give more recordings, or split "
            "windows at random (--split random)"
        )
    return part


def by_name(names: dict[int, str], named: set[int], shares: Shares) -> dict[int, str]:
    """A part for each subject, from a hash of its name alone: no other subject has a say in it.

    The parts have their shares only on average. Arguments as for `by_subject`, but for `names`.

    Raises:
        StimjaxError: a part would have no subject.
    """
    validation, test, seed, folds, fold = shares
    part = {}
    for subject, name in names.items():
        digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
        place, other = (int.from_bytes(half, "big") / 2**64 for half in (digest[:8], digest[8:16]))
        tested = int(folds * place) == fold if folds > 1 else place < test
        tested = subject in named if named else tested
        share = validation if named else validation / (1 - (1 / folds if folds > 1 else test))
        part[subject] = "test" if tested else "validation" if other < share else "train"
    absent = [name for name in PARTS if name not in part.values()]
    if absent:
        raise StimjaxError(
            f"a hash of their names leaves none of {len(names)} subjects for {absent[0]}; choose "
            "another --seed, or give more recordings"
        )
    return part


def at_random(n: int, number: int, shares: Shares) -> Int[np.ndarray, " n"]:
    """For each of the `n` windows of recording `number`, the index of its part in `PARTS`.

    With `folds` above 1 the test part is fold number `fold` (from 0) of as many disjoint ones that
    cover all windows, and `test` is not used.
    """
    validation, test, seed, folds, fold = shares
    rng = np.random.default_rng([seed, number])
    place = (rng.permutation(n) + rng.random()) / max(n, 1)
    if folds == 1:
        return np.select([place < test, place < test + validation], [2, 1], 0)
    ahead = (folds * place - fold) % folds  # the windows behind those of the fold validate
    tested = (folds * place).astype(int) == fold
    return np.select([tested, ahead < 1 + validation * folds], [2, 1], 0)


def _dealt(order: list[int], folds: int, rng: np.random.Generator) -> dict[int, int]:
    """A fold for each subject; of `folds` neighbors in `order`, each goes into another, by lot."""
    rounds = -(-len(order) // folds)
    numbers = np.concatenate([rng.permutation(folds) for _ in range(rounds)] or [[]])
    return {subject: int(number) for subject, number in zip(order, numbers, strict=False)}


def _systematic(order: list[int], share: float, rng: np.random.Generator) -> set[int]:
    """Every 1/share-th of `order` from a random start, at least one where the share allows."""
    if share <= 0 or not order:
        return set()
    count = min(max(1, round(share * len(order))), len(order))
    places = (np.arange(count) + rng.random()) * len(order) / count
    return {order[int(place)] for place in places}
