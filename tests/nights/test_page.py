"""The page of all nights, and the rows of their agreement."""

import re

import numpy as np
import pytest

from stimjax.disk.documents import AgreementFile, Compared, Nights
from stimjax.nights import agreement, page, severity
from stimjax.nights.night import ScoredNight, summary

SCORER = np.array([2.0, 7.0, 16.0, 33.0, 50.0])
MODELS = np.stack([SCORER + np.array([1, -1, 2, -2, 0]), SCORER * 0.5], axis=1)


@pytest.fixture(scope="module")
def compared() -> AgreementFile:
    minutes = [np.arange(20) % 2 for _ in SCORER]
    called = [(np.arange(20) + k) % 3 % 2 for k, _ in enumerate(SCORER)]
    found = [
        agreement.agreement(minutes, called, np.stack([SCORER, one], axis=1), severities=True)
        for one in MODELS.T
    ]
    pairs = zip(SCORER.tolist(), MODELS.tolist(), strict=True)
    nights = [Compared(f"n{k}", 20, a, tuple(b)) for k, (a, b) in enumerate(pairs)]
    named = ("stimuli", "<real>")
    return AgreementFile("apnea minutes an hour", named, tuple(found), tuple(nights), "how", {})


def nights_of(*nights: ScoredNight) -> Nights:
    failed = {"bad.edf": "it is damaged"}
    summaries = tuple(map(summary, nights))
    return Nights("cnn", "ab" * 32, severity.HOW, summaries, failed, {"stimjax": "1"})


def test_documents_are_read_back(compared: AgreementFile, night: ScoredNight) -> None:
    assert AgreementFile.from_json(compared.to_json(), "here") == compared
    nights = nights_of(night)
    assert Nights.from_json(nights.to_json(), "here") == nights


def test_the_page_links_each_night_and_names_what_failed(
    compared: AgreementFile, night: ScoredNight
) -> None:
    text = page.page(nights_of(night), compared)
    assert 'href="a%20night.html"' in text and "bad.edf could not be scored: it is damaged" in text
    assert "this is no AHI" in text and "&lt;real&gt;" in text and "<real>" not in text
    assert text.count("<circle") == 2 * len(SCORER) and "<script" not in text
    assert not re.search(r"(src|href)=\"(http|//)", text)


def test_a_staged_folder_has_no_severities(staged: ScoredNight) -> None:
    text = page.page(nights_of(staged), None)
    assert "sleep (min)" in text and "apnea" not in text and "Agreement" not in text


def test_every_measure_has_a_row_for_each_model(compared: AgreementFile) -> None:
    rows = list(page.rows(compared))
    assert len(rows) == 2 * 12 and {row["nights"] for row in rows} == {5}
    bias = {row["model"]: row["value"] for row in rows if row["measure"].startswith("bias")}
    assert bias["stimuli"] == pytest.approx(0) and bias["<real>"] == pytest.approx(
        -SCORER.mean() / 2
    )
