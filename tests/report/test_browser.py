"""Both pages in headless Chromium: three widths, nothing loaded, nothing that axe-core finds.

axe-core is no part of the repository; STIMJAX_AXE names its `axe.min.js`.
"""

import os
import shutil
from pathlib import Path

import pytest

from stimjax.report import Story, contents, write

CHROMIUM = shutil.which("chromium") or ""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no Chromium")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(story: Story, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    write(story, folder / "private.html")
    (folder / "public.html").write_text(contents(story)["report.html"], encoding="utf-8")
    return {name: folder / f"{name}.html" for name in ("private", "public")}


@pytest.mark.parametrize("name", ["private", "public"])
@pytest.mark.parametrize("width", [375, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_and_is_quiet(browser, pages, name: str, width: int, scheme: str):
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name].as_uri())
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [pages[name].as_uri()]
    tall = page.evaluate("document.documentElement.scrollHeight")
    assert width < 1280 or tall <= 8000
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if axe := os.environ.get("STIMJAX_AXE"):
        page.add_script_tag(content=Path(axe).read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")["violations"]
        assert [one["id"] for one in found] == []
    context.close()
