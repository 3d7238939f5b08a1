"""The prompt's helpers in headless Chromium on the fake engine: the suggestion's phrases."""

from __future__ import annotations

import numpy as np
import pytest

from studio import drawertexts
from tests.studio_page import Studio, until

pytestmark = pytest.mark.browser


@pytest.fixture
def studio(url, browser, engine):
    engine.step_seconds, engine.fail_with = 0, None
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    opened = Studio(context.new_page(), url)
    yield opened.open()
    context.close()
    assert opened.errors == [] and opened.foreign == []


def prompt_of(studio: Studio) -> str:
    return studio.page.locator("#prompt textarea").input_value()


def test_a_phrase_opens_the_garments_behind_it_and_they_can_be_taken(studio):
    page = studio.page
    navy, striped = page.locator("#phrases button").nth(0), page.locator("#phrases button").nth(1)
    drawer = page.locator("#phrase-pictures .fd-drawer")
    navy.focus()
    page.keyboard.press("Enter")
    drawer.get_by_text("Navy: 25 to 31 %").wait_for()
    striped.click()
    drawer.get_by_text("Striped: 10 %").wait_for()
    assert [one.get_attribute("aria-expanded") for one in (navy, striped)] == ["false", "true"]
    drawn = studio.paper()
    page.get_by_role("tab", name="Board").click()
    drawer.get_by_role("button", name=drawertexts.USE).first.click()
    studio.status("idle", drawertexts.USED)  # back on the Design tab
    assert prompt_of(studio).endswith("plain garment") and np.array_equal(studio.paper(), drawn)
    drawer.get_by_role("button", name=drawertexts.TRACE).nth(1).click()
    studio.status("idle", drawertexts.TRACED)
    until(lambda: not np.array_equal(studio.paper(), drawn))
    studio.shot("phrase")
    striped.click()  # once more: closed
    until(lambda: drawer.count() == 0)
    navy.click()
    drawer.wait_for()
    studio.choose("week", "Week 5, 2020")  # another week's phrases have other garments
    until(lambda: drawer.count() == 0 and navy.get_attribute("aria-expanded") == "false")
