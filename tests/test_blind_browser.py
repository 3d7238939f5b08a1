"""The blind test in headless Chromium on the fake engine: draw, pick, reveal, export."""

from __future__ import annotations

import csv

import pytest
from axe_playwright_python.sync_playwright import Axe

from fashiondistill.config import BLIND_CANDIDATES
from studio import blindtexts, modeltexts, texts
from tests.fake_engine import CARD, FakeModel
from tests.studio_page import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def engine(engine):
    engine.compared = tuple(FakeModel(engine, *one) for one in (("starter", "navy"), ("temporal", "red")))
    engine.card = CARD
    return engine


def test_a_pair_waits_for_its_turn_and_is_judged_before_its_models_are_named(engine, url, browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(20_000)
    studio = Studio(context.new_page(), url).open()
    page = studio.page
    with engine.turns.take(10):  # somebody else's request
        studio.generate()
        studio.status("running", texts.waiting(1, None))
        page.get_by_role("tab", name=blindtexts.TAB_BLIND).click()
        page.locator("#blind-draw").click()
        page.locator("#blind-status", has_text=texts.waiting(2, None)).wait_for()
        page.locator("#blind-stop").click()
        page.locator("#blind-status", has_text=blindtexts.STOPPED).wait_for()
        page.locator("#blind-draw").click()
        page.locator("#blind-status", has_text=texts.waiting(2, None)).wait_for()  # Generate was not stopped
        studio.shot("blind_waiting")
    page.locator("#blind-status", has_text=blindtexts.DRAWN).wait_for()
    assert page.locator('.fd-sides figure[data-side="left"] .fd-blind-pictures > button').count() == BLIND_CANDIDATES
    page.locator("#blind-right").click()
    page.locator("#blind-status", has_text=blindtexts.chosen("right")).wait_for()
    page.locator('.fd-sides figure[data-side="right"][data-chosen]').wait_for()
    page.locator("#blind-results").get_by_text(blindtexts.RESULTS).click()
    page.locator("#blind-results", has_text=blindtexts.NO_RESULTS).wait_for()  # figures would tell the names
    assert not any(name in page.content() for name in ("temporal", "starter-digest"))
    studio.shot("blind")
    page.locator("#blind-reveal").click()
    page.locator("#blind-status", has_text="You preferred").wait_for()
    names = page.locator(".fd-sides figcaption span").all_inner_texts()
    assert sorted(names) == ["starter", "temporal"]
    page.locator(".fd-rates", has_text="temporal over starter").wait_for()
    assert page.locator("#blind-left").is_disabled()
    studio.shot("blind_revealed")
    with page.expect_download() as download:
        page.locator("#blind-export").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as handle:
        (row, _) = csv.DictReader(handle)
    assert (row["model"], row["judged"], row["wins"]) == ("temporal", "1", str(int(names[1] == "temporal")))
    page.locator("#model-card").get_by_text(modeltexts.TITLE).click()
    page.locator("#model-card tr", has_text="Shoes").get_by_text(modeltexts.WEAK).wait_for()
    studio.shot("model_card")
    response = Axe().run(page).response
    assert len(response["passes"]) > 15
    assert [one["id"] for one in response["violations"] if one["impact"] in ("serious", "critical")] == []
    context.close()
    assert studio.errors == [] and studio.foreign == []
