"""What was spent of the privacy budget: every look at private windows, and epsilon of all of them.

Each look is the Gaussian mechanism: a sum to which a window (or all windows of a subject, whichever
is the unit) adds a vector of limited length, plus normal noise; it may be of units drawn at random
(Poisson sampling, Mironov et al., 2019, arXiv 1908.10530). Neighbors are two cohorts of which one
has a unit that the other lacks. Their number decides how likely a unit takes part: it is stated
beforehand (`Ledger.units`), or counted, and then neighbors have as many, with nothing in a unit's
place ("zero-out" in Ponomareva et al., 2023, arXiv 2303.00654). Composed by dp-accounting as
privacy loss distributions (Doroshenko et al., 2022, arXiv 2207.04380), or as Renyi divergences
where epsilon is too large for those to matter.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Literal

from stimjax.disk.documents import Audited, Guarantee
from stimjax.disk.documents.document import plain, typed
from stimjax.errors import StimjaxError
from stimjax.machine.extras import library

Unit = Literal["subject", "window"]
PRIOR = "classes.prior"  # a statistic of the training windows that a ledger can pay for

ORDERS = (*range(2, 65), 128, 256, 512)  # of the Renyi divergences; whole ones have a closed form
LARGE = 200.0  # epsilon by those from which it is exact enough: it protects nobody
GRID = 1e-5  # steps of the privacy losses, in units of epsilon, but at least 1e-4
EXACT = 5e-3  # relative, of a calibrated noise
LEAST, MOST = 1e-2, 1e5  # noises that are looked at


@dataclasses.dataclass(frozen=True)
class Expense:
    """Looks of one kind at the private windows.

    Attributes:
        what: was computed, in words.
        noise: standard deviation of the noise, in units of the most that one unit can add.
        sampling: probability with which a unit takes part in a look.
        count: looks.
    """

    what: str
    noise: float
    sampling: float = 1.0
    count: int = 1


@dataclasses.dataclass(frozen=True)
class Ledger:
    """A closed ledger: what was spent, and what it amounts to.

    Attributes:
        unit: whose presence is hidden.
        epsilon: of all expenses together.
        delta: for which epsilon holds.
        expenses: all there are.
        units: how many there are said to be; None where they were counted.
        audited: what an attack showed of it, see `lower_bound`; None where none was tried.
    """

    unit: Unit
    epsilon: float
    delta: float
    expenses: tuple[Expense, ...]
    units: int | None = None
    audited: Audited | None = None

    def to_json(self) -> dict[str, Any]:
        """This ledger as a JSON object; `from_json` reads it back exactly."""
        return plain(self)

    @classmethod
    def from_json(cls, content: Any, where: str) -> Ledger:
        """Read a ledger.

        Args:
            content: what `to_json` gave, or whatever a file holds in its place.
            where: named in the error.

        Raises:
            StimjaxError: a field is missing, unknown or of the wrong kind.
        """
        ledger = typed(cls, content, f"{where}: its privacy is described wrongly")
        if not 0 < ledger.epsilon < math.inf or not ledger.expenses:
            raise StimjaxError(f"{where}: its privacy is described wrongly (it spent nothing)")
        return ledger


def described(ledger: Ledger | None) -> Guarantee:
    """What a manifest says: a ledger, or that there is no guarantee."""
    if ledger is None:
        return Guarantee()
    expenses = tuple(map(dataclasses.asdict, ledger.expenses))
    return Guarantee(
        ledger.unit, ledger.epsilon, ledger.delta, expenses, ledger.units, ledger.audited
    )


def closed(
    unit: Unit, delta: float, expenses: Sequence[Expense], units: int | None = None
) -> Ledger:
    """The ledger of all that was spent; `units` if their number was stated beforehand."""
    return Ledger(unit, epsilon(expenses, delta), delta, tuple(expenses), units)


def epsilon(expenses: Sequence[Expense], delta: float) -> float:
    """An upper bound of epsilon of all expenses together; infinite where there is no noise.

    Raises:
        StimjaxError: dp-accounting is not installed.
    """
    coarse = _by_renyi(expenses, delta)
    if coarse > LARGE:
        return coarse
    accounting = library("dp_accounting")
    accountant = accounting.pld.PLDAccountant(
        value_discretization_interval=max(1e-4, GRID * coarse)
    )
    exact = accountant.compose(_event(accounting, expenses)).get_epsilon(delta)
    return min(coarse, float(exact))


def noise_for(
    target: float,
    delta: float,
    others: Sequence[Expense] = (),
    *,
    sampling: float = 1.0,
    count: int = 1,
) -> float:
    """The smallest noise with which an expense leaves the whole within its budget.

    Args:
        target: epsilon of all expenses together.
        delta: for which it has to hold.
        others: what else is spent.
        sampling: probability with which a unit takes part.
        count: looks.

    Raises:
        StimjaxError: the others leave nothing, or dp-accounting is not installed.
    """

    def fits(noise: float, by: Callable[..., float]) -> bool:
        return by([*others, Expense("", noise, sampling, count)], delta) <= target

    if not fits(MOST, epsilon):
        raise StimjaxError(f"epsilon {target:g} is too small: no noise is enough for it")
    # Renyi divergences are fast and err to the safe side; so the exact search begins beside them.
    high = _smallest(LEAST, MOST, lambda noise: fits(noise, _by_renyi))
    low = high / 2
    while low > LEAST and fits(low, epsilon):
        low, high = low / 2, low
    return _smallest(low, high, lambda noise: fits(noise, epsilon))


def _by_renyi(expenses: Sequence[Expense], delta: float) -> float:
    accounting = library("dp_accounting")
    accountant = accounting.rdp.RdpAccountant(ORDERS)
    return float(accountant.compose(_event(accounting, expenses)).get_epsilon(delta))


def _smallest(low: float, high: float, fits: Callable[[float], bool]) -> float:
    """A number that fits, hardly above the smallest that does; `high` fits, `low` need not."""
    while high / low > 1 + EXACT:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _event(accounting: ModuleType, expenses: Sequence[Expense]) -> Any:
    """All of them; those that differ in nothing but their words together, which is faster."""
    kinds: dict[tuple[float, float], int] = {}
    for one in expenses:
        kinds[one.noise, one.sampling] = kinds.get((one.noise, one.sampling), 0) + one.count
    events = []
    for (noise, sampling), count in kinds.items():
        event = accounting.GaussianDpEvent(noise)
        if sampling < 1:
            event = accounting.PoissonSampledDpEvent(sampling, event)
        events.append(accounting.SelfComposedDpEvent(event, count))
    return accounting.ComposedDpEvent(events)
