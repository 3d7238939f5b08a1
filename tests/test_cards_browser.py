"""What a candidate's card offers, in headless Chromium on the fake engine, by pointer and by keys."""

from __future__ import annotations

import re

import pytest

from fashiondistill.data.weeks import Week
from studio import cardtexts
from tests.studio_page import until

pytestmark = pytest.mark.browser


def seed_of(said: str) -> int | None:
    """None while the status is between two texts."""
    found = re.search(r"Seed (\d+)", said)
    return int(found[1]) if found else None


def test_two_candidates_are_compared_below_the_cards(studio):
    page = studio.page
    studio.generate()
    studio.status("ranked")
    marks, figures = page.locator("#results .fd-mark input"), page.locator("#comparison figure")
    marks.nth(0).check()
    marks.nth(3).check()
    figures.nth(1).wait_for()
    until(lambda: figures.locator("b").all_inner_texts() == ["No. 1", "No. 4"])
    marks.nth(1).check()  # the third takes the place of the first
    until(lambda: figures.locator("b").all_inner_texts() == ["No. 4", "No. 2"])
    assert [one.is_checked() for one in marks.all()] == [False, True, False, True]
    seam = page.locator("#comparison .fd-over input")
    seam.fill("20")
    assert page.locator("#comparison .fd-seam").evaluate("one => one.style.getPropertyValue('--seam')") == "20%"
    score = figures.nth(0).locator("small")
    before = score.inner_text()
    page.locator("#fd-weight").fill("1")  # names and scores follow the cards
    until(lambda: score.inner_text() != before)
    studio.shot("compare-cards")
    page.get_by_role("button", name=cardtexts.CLOSE_COMPARISON).click()
    until(lambda: page.locator("#comparison section").count() == 0)
    assert not any(one.is_checked() for one in marks.all())
    marks.nth(0).check()
    marks.nth(1).check()
    figures.nth(1).wait_for()
    studio.generate()  # its designs are no longer shown
    until(lambda: page.locator("#comparison section").count() == 0)
    studio.status("ranked")


def test_a_candidate_is_varied_and_its_seed_used_again_by_keys(studio, engine):
    page = studio.page
    studio.generate()
    seed = seed_of(studio.status("ranked"))
    page.locator("#results .fd-vary").nth(1).focus()
    page.keyboard.press("Enter")
    menu = page.locator("#results .fd-menu:popover-open")
    menu.wait_for()
    page.keyboard.press("Escape")
    until(lambda: menu.count() == 0)
    page.keyboard.press("Enter")
    menu.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(lambda: engine.requests[-1].start is not None and engine.requests[-1].strength == 0.8)
    until(lambda: seed_of(studio.status("ranked")) not in (None, seed))
    varied = seed_of(studio.status("ranked"))
    assert Week.parse(engine.requests[-1].week) in engine.weeks and varied == engine.requests[-1].seed
    page.locator("#results .fd-seed").first.focus()
    page.keyboard.press("Enter")
    studio.status("idle", f"Seed {varied} is kept")
    studio.generate()
    assert seed_of(studio.status("ranked")) == varied and engine.requests[-1].start is None


@pytest.mark.parametrize("studio", [390], indirect=True)
def test_the_line_fits_a_phone(studio):
    page = studio.page
    studio.generate()
    studio.status("ranked")
    heights = page.locator("#results .fd-tools").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert max(heights) < 60 and studio.wide() == 390  # one line
    page.locator("#results .fd-vary").last.click()
    menu = page.locator("#results .fd-menu:popover-open")
    box = menu.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 900
    studio.shot("card-menu-phone")
