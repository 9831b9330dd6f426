"""The page of a night: one file, and a browser that draws it where there is one."""

import dataclasses
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimjax.nights import viewer
from stimjax.nights.night import ScoredNight, summary

CHROMIUM = os.environ.get("STIMJAX_CHROMIUM") or shutil.which("chromium")
WIDTH, NIGHT = 600_000, 2_400_000  # ms: what a jump shows, and the whole night


def page_of(night: ScoredNight) -> str:
    return viewer.page(night, summary(night), ("SpO2",))


def test_a_page_is_one_file_and_says_what_it_shows(night: ScoredNight) -> None:
    page = page_of(night)
    assert len(page) < 2e6
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.S)  # all but Bokeh's and our script
    assert not re.search(r"(src|href)=", own) and "default-src 'none'" in own
    assert "this is no AHI" in own and "Do not publish it" in own
    assert 'role="alert"' not in own


def test_a_warning_is_shown_and_a_file_s_name_is_no_part_of_the_code(night: ScoredNight) -> None:
    name = "</script><script>alert(1)</script>"
    page = page_of(dataclasses.replace(night, name=name, outside=True))
    assert name not in page and "&lt;script&gt;alert(1)" in page and 'role="alert"' in page


def test_a_staged_night_of_which_nothing_is_left_out_has_no_empty_row(
    staged: ScoredNight, caplog: pytest.LogCaptureFixture
) -> None:
    every = np.nan_to_num(staged.probability, nan=0.2)
    nothing = np.zeros(len(staged.start), bool)
    whole = dataclasses.replace(staged, why=np.full(len(every), ""), probability=every)
    page_of(dataclasses.replace(whole, uncovered=nothing))
    assert caplog.records == []


def test_a_large_night_stays_below_five_megabytes(night: ScoredNight) -> None:
    signal = night.recording.signals["SpO2"]
    values = np.random.default_rng(0).uniform(80, 100, 100 * 60 * 40)
    loud = dataclasses.replace(signal, rate=100.0, values=values)
    five = {f"SpO2 {k}" if k else "SpO2": loud for k in range(5)}
    recording = dataclasses.replace(night.recording, signals=five)
    large = dataclasses.replace(night, recording=recording)
    assert len(viewer.page(large, summary(night), tuple(five))) < 5e6


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no Chromium; STIMJAX_CHROMIUM names one")
    arguments = ["--no-sandbox", "--disable-gpu"]
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Opened:
    """A page in the browser, with what it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, **how: object):
        self.page = browser.new_page(**how)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "console",
            lambda line: self.wrong.append(line.text) if line.type in ("error", "warning") else 0,
        )
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]", timeout=60_000)

    def view(self) -> tuple[float, float]:
        """Where the view begins and ends, in ms from the recording's start."""
        code = "(() => { const r = Bokeh.documents[0].roots()[0].children[0].x_range; "
        start, end = self.page.evaluate(code + "return [r.start, r.end]; })()")
        return start - 79_200_000, end - 79_200_000  # the night begins at 22:00

    def press(self, key: str) -> tuple[float, float]:
        self.page.keyboard.press(key)
        return self.view()


@pytest.mark.slow
def test_keys_move_the_view_and_nothing_is_asked_of_a_network(
    browser: Any, night: ScoredNight, tmp_path: Path
) -> None:
    path = tmp_path / "night.html"
    path.write_text(page_of(night), encoding="utf-8")
    opened = Opened(browser, path, viewport={"width": 1000, "height": 700})
    marks = 60_000.0 * np.flatnonzero(night.called == 1)
    assert opened.view() == (0, NIGHT)
    assert opened.press("+") == (NIGHT / 4, 3 * NIGHT / 4)
    assert opened.press("ArrowLeft") == (NIGHT / 8, 5 * NIGHT / 8)
    assert opened.press("ArrowRight") == (NIGHT / 4, 3 * NIGHT / 4)
    for _ in range(9):  # it ends where the night does, and its width stays
        start, end = opened.press("ArrowRight")
    assert (start, end) == (NIGHT / 2, NIGHT)
    assert opened.press("-") == opened.press("Home") == (0, NIGHT)
    for mark in marks[:5]:
        start, end = opened.press("n")
        assert end - start == WIDTH and start <= mark < end
    back = opened.press("p")
    assert back[0] <= marks[3] < back[1]
    opened.page.click("button[data-key=Home]")
    assert opened.view() == (0, NIGHT)
    assert opened.asked == [path.as_uri()] and opened.wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_in_both_colors(
    browser: Any, staged: ScoredNight, tmp_path: Path, dark: bool
) -> None:
    path = tmp_path / "night.html"
    path.write_text(page_of(staged), encoding="utf-8")
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    opened = Opened(browser, path, **phone, color_scheme="dark" if dark else "light")
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360 and opened.wrong == []
    paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not dark
