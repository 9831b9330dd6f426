"""The page of all nights: what is said of each, and how models agree with scorers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from stimjax.disk.documents import Agreement, AgreementFile, Measured, Nights
from stimjax.nights import figures, words
from stimjax.nights.severity import SEVERITIES

HERE = Path(__file__).parent


def page(nights: Nights, agreement: AgreementFile | None) -> str:
    """The page as text; it needs neither a network nor a script."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("nights.html.j2").render(
        nights=nights,
        staged=nights.nights[0].apnea_minutes_an_hour is None,
        agreement=agreement,
        table=[] if agreement is None else table(agreement),
        pictures=[] if agreement is None else figures.pictures(agreement),
        zip=zip,
        severities=SEVERITIES,
        no_ahi=words.NO_AHI,
        style=Markup((HERE / "nights.css").read_text(encoding="utf-8")),
    )


def measures(agreement: Agreement) -> Iterator[tuple[str, Measured]]:
    """All numbers of a model, each with what it is called."""
    yield "kappa by minute", agreement.minute_kappa
    yield "ICC(2,1) by night", agreement.icc
    yield "bias (model minus scorer)", agreement.bland_altman.bias
    yield "lower limit of agreement", agreement.bland_altman.lower
    yield "upper limit of agreement", agreement.bland_altman.upper
    for one in agreement.thresholds:
        yield f"sensitivity at {one.bound:g} ({one.positive} nights)", one.sensitivity
        yield f"specificity at {one.bound:g} ({one.negative} nights)", one.specificity
    if agreement.severity_kappa is not None:
        yield "kappa of four severities", agreement.severity_kappa


def rows(compared: AgreementFile) -> Iterator[dict[str, Any]]:
    """The rows of `agreement.csv`."""
    for name, agreement in zip(compared.models, compared.agreement, strict=True):
        for measure, found in measures(agreement):
            low, high = found.interval or (None, None)
            yield {
                "model": name,
                "measure": measure,
                "value": found.value,
                "low": low,
                "high": high,
                "nights": len(compared.nights),
            }


def table(compared: AgreementFile) -> list[tuple[str, list[str]]]:
    """The agreement as text: a row for each measure, a column for each model."""
    columns = [dict(measures(one)) for one in compared.agreement]
    return [(name, [_said(column[name]) for column in columns]) for name in columns[0]]


def _said(found: Measured) -> str:
    if found.value is None:
        return "not defined"
    ends = (
        "" if found.interval is None else f" ({found.interval[0]:.3g} to {found.interval[1]:.3g})"
    )
    return f"{found.value:.3g}{ends}"
