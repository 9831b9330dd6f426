"""What `stimjax score` found, in readable lines."""

from __future__ import annotations

from stimjax.command.table import aligned
from stimjax.disk.documents import AgreementFile, Nights
from stimjax.nights import page

WARNING = "outside what the model learned from"


def lines(nights: Nights, agreement: AgreementFile | None) -> list[str]:
    """A row for each night, and one for each measure of agreement."""
    staged = nights.nights[0].apnea_minutes_an_hour is None
    title = ("sleep (min)", "efficiency") if staged else ("apnea minutes/h", "95 %", "severity")
    rows = [("night", *title, "scored", "")]
    for one in nights.nights:
        cells: tuple[str, ...] = ()
        if one.apnea_minutes_an_hour is not None and one.interval is not None:
            low, high = one.interval
            value = f"{one.apnea_minutes_an_hour:.1f}"
            cells = (value, f"{low:.1f} to {high:.1f}", one.severity or "")
        elif one.sleep_by_model is not None:
            cells = (f"{one.sleep_by_model.asleep:.0f}", f"{one.sleep_by_model.efficiency:.0%}")
        count = f"{one.scored} of {one.minutes}"
        rows.append((one.name, *cells, count, WARNING if one.outside else ""))
    found = aligned(rows)
    if agreement is not None:
        title = f"agreement with scorers, {len(agreement.nights)} nights", *agreement.models
        table = [(name, *cells) for name, cells in page.table(agreement)]
        found += ["", *aligned([title, *table])]
    return found
