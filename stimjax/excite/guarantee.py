"""What a formal guarantee forbids: each use of private windows that no ledger has paid for.

A part of a recipe says itself that it is free (`Kind.free`): one that is added later is refused
until someone has thought about it. docs/privacy-dp.md says why each is free or not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from stimjax import config
from stimjax.config.recipes import Recipe
from stimjax.data import plan
from stimjax.disk.documents import Made
from stimjax.errors import StimjaxError
from stimjax.excite import accept, kind, methods
from stimjax.learn import ledger
from stimjax.learn.ledger import Ledger
from stimjax.machine.extras import library

FIXED = "the range of each channel is a fixed one, of no recording"


def refuse_job(job: config.Job) -> None:
    """Refuse a job whose guarantee would be void, before hours of work.

    Raises:
        StimjaxError: what cannot be had with an epsilon; the line says what to choose instead.
    """
    if not job.teacher.dp.epsilon:
        return
    library("jax_privacy")
    if not job.prepare.independent:
        raise StimjaxError(f"--teacher.dp.epsilon: {INDEPENDENT}")
    plan.refuse_dependent(job.prepare)
    refuse_synthesis(job.synthesis, (ledger.PRIOR,) if job.teacher.dp.prior else ())


def refuse_windows(folder: Path) -> None:
    """Refuse windows that depend on recordings other than their own.

    Raises:
        StimjaxError: `folder` was not prepared so, or is no folder of windows.
    """
    if not independent(Made.load(folder)):
        raise StimjaxError(f"{folder}: {INDEPENDENT}")


def independent(made: Made) -> bool:
    """Whether no window, nor which part it is in, depends on a recording but its own.

    Windows that are dealt at random do, whatever an earlier version wrote: one more moves others.
    """
    return made.settings.independent and made.settings.split == "subject"


def refuse_synthesis(settings: config.Synthesis, statistics: Collection[str]) -> None:
    """Refuse settings that need more of the private windows than was paid for.

    Args:
        settings: how stimuli are made.
        statistics: names of those that a ledger has paid for.

    Raises:
        StimjaxError: what they need; the line says what to choose instead.
    """
    if settings.inhibit and set(settings.inhibit_by) - {"labels"}:
        raise StimjaxError(
            "inhibit: needs an identity critic and directions measured on private windows, which "
            "no epsilon was spent on; leave it out (--inhibit 0) or round labels alone "
            "(--inhibit-by labels)"
        )
    refuse_recipe(methods.recipe(settings), statistics)


def refuse_recipe(recipe: Recipe, statistics: Collection[str]) -> None:
    """Refuse a recipe that needs more of the private windows than was paid for.

    Args:
        recipe: the recipe.
        statistics: names of those that a ledger has paid for.

    Raises:
        StimjaxError: what it needs; the line says what to choose instead.
    """
    for field, name, part in methods.parts(recipe):
        paid = bool(part.needs) and not kind.lacking(part.needs, statistics)
        if part.free or paid:
            continue
        if field == "balance":
            raise StimjaxError(
                f"balance {name}: needs the frequency of the classes, which no epsilon was spent "
                "on; choose uniform, or train the teacher with a dp.prior above 0"
            )
        free = [other for other, one in methods.PARTS[field].items() if one.free]
        raise StimjaxError(
            f"{field} {name}: needs statistics of private windows that no epsilon was spent on; "
            f"choose {', '.join(free)}{_FREE if field == 'source' else ''}"
        )


def uses(sentences: Sequence[str], spent: Ledger | None) -> list[str]:
    """What a manifest says of private data: a recipe's sentences, as they hold with a ledger."""
    if spent is None:
        return list(sentences)
    changed = {methods.RANGE: FIXED, accept.FREQUENCY: f"{accept.FREQUENCY}, with noise"}
    counted = {methods.COUNTED}  # the ledger says what the one statistic is worth that it has
    return [changed.get(one, one) for one in sentences if one not in counted]


_FREE = " (--synthesis.method public)"
INDEPENDENT = (
    "a teacher with an epsilon needs windows of which none depends on another recording; prepare "
    "them with --independent and --split subject, which asks for --channels and --subject-from"
)
