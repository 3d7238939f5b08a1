"""The page for everyone: axe-core finds nothing serious, and Generate is reached by keys alone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from studio import boardtexts, texts
from tests.studio_page import Studio

pytestmark = pytest.mark.browser
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_finds_nothing_serious(browser, url, theme: str, width: int):
    context = browser.new_context(viewport={"width": width, "height": 900})
    studio = Studio(context.new_page(), url).open(f"?__theme={theme}")
    studio.generate()
    studio.status("ranked")
    studio.page.locator("#more").get_by_text(texts.MORE).click()
    studio.cards('[data-rank="1"]').get_by_text(texts.WHY, exact=True).click()
    for mark in studio.page.locator("#results .fd-mark input").all()[:2]:
        mark.check()
    studio.page.locator("#comparison figure").nth(1).wait_for()
    if width < 861:
        studio.page.locator("#words summary").click()
    studio.page.locator("#words [data-word]").first.wait_for()
    studio.page.locator("#phrases button").first.click()
    studio.page.locator("#phrase-pictures .fd-drawer").wait_for()
    studio.page.locator("#results .fd-vary").first.click()
    studio.page.locator("#results .fd-menu:popover-open").wait_for()
    found = []
    for tab in (texts.TAB_DESIGN, texts.TAB_TRENDS, boardtexts.TAB_BOARD):
        studio.page.get_by_role("tab", name=tab).click()
        if tab == texts.TAB_TRENDS:
            studio.page.locator("#trend-board .js-plotly-plot").first.wait_for()
        response = Axe().run(studio.page).response
        assert len(response["passes"]) > 20  # it did look
        found += [
            f"{tab}: {one['id']} ({one['impact']}): {one['help']}: {[node['target'] for node in one['nodes']]}"
            for one in response["violations"]
            if one["impact"] in SERIOUS
        ]
    context.close()
    assert found == []


def test_generate_is_reached_by_keys_alone(browser, url):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    studio = Studio(context.new_page(), url).open()
    for _ in range(80):
        studio.page.keyboard.press("Tab")
        if studio.page.evaluate("document.activeElement.id") == "generate":
            break
    else:
        pytest.fail("80 presses of Tab did not reach Generate")
    studio.page.keyboard.press("Enter")
    studio.status("ranked")
    context.close()
