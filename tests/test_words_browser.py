"""The prompt's helpers in headless Chromium on the fake engine: the suggestion's phrases, words, palette."""

from __future__ import annotations

import numpy as np
import pytest

from studio import drawertexts, wordtexts
from tests.studio_page import Studio, until

pytestmark = pytest.mark.browser


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
    until(lambda: [one.get_attribute("aria-expanded") for one in (navy, striped)] == ["false", "true"])
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


def becomes(studio: Studio, prompt: str) -> None:
    until(lambda: prompt_of(studio) == prompt, lambda: f"the prompt is {prompt_of(studio)!r}, not {prompt!r}")


def word(studio: Studio, key: str):
    return studio.page.locator(f'#words [data-word="{key}"]')


def test_words_go_into_the_prompt_and_show_that_they_are_there(studio):
    page = studio.page
    pressed = page.locator('#words [data-word][aria-pressed="true"]')
    until(lambda: pressed.evaluate_all("all => all.map(one => one.dataset.word)") == ["colour:navy", "pattern:striped"])
    page.locator("#prompt textarea").fill("linen shirt")
    until(lambda: pressed.count() == 0)
    word(studio, "colour:red").click()
    becomes(studio, "red linen shirt")
    until(lambda: word(studio, "colour:red").get_attribute("aria-pressed") == "true")
    word(studio, "colour:white").click()
    becomes(studio, "white linen shirt")
    word(studio, "colour:light blue").click(modifiers=["Shift"])
    becomes(studio, "white and light blue linen shirt")
    word(studio, "colour:white").click()
    becomes(studio, "light blue linen shirt")
    page.get_by_role("button", name=wordtexts.SECOND).click()
    page.locator('#words input[type="color"]').fill("#ba2830")
    becomes(studio, "light blue and red linen shirt")
    page.locator("#words .fd-picked", has_text="#ba2830: the nearest word that the model knows is red.").wait_for()
    assert page.get_by_role("button", name=wordtexts.SECOND).get_attribute("aria-pressed") == "false"
    word(studio, "detail:long sleeves").click()
    becomes(studio, "light blue and red linen shirt, long sleeves")
    assert word(studio, "detail:hooded").is_hidden() and word(studio, "detail:collar").is_visible()  # it is a shirt
    word(studio, "detail:collar").click()
    becomes(studio, "light blue and red linen shirt, long sleeves, collar")
    page.locator("#prompt textarea").fill("light blue and red linen t-shirt, long sleeves, collar")
    until(word(studio, "detail:crew neck").is_visible)  # of t-shirts
    assert word(studio, "detail:collar").is_visible()  # no t-shirt has one, but it is there
    studio.shot("words")
    studio.choose("week", "Week 5, 2020")  # the words are made anew, and what is there stays marked
    studio.choose("category", "Lower body")
    word(studio, "detail:high waist").wait_for()
    until(
        lambda: pressed.evaluate_all("all => all.map(one => one.dataset.word)") == ["colour:light blue", "colour:red"]
    )


def test_words_are_reached_by_keys(studio):
    page = studio.page
    page.locator("#words summary").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.dataset.word"
    assert page.evaluate(focused) == "colour:black"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "colour:grey"
    page.keyboard.press("Enter")
    until(lambda: prompt_of(studio).startswith("grey striped"))
    assert page.evaluate(focused) == "colour:grey"  # the page does not take the focus away
    page.keyboard.press("End")
    assert page.evaluate(focused) == "colour:yellow"
    for _ in range(3):  # one stop of the Tab key: then the palette, a second colour, patterns
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "pattern:plain"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == "colour:yellow"  # where it was


@pytest.mark.parametrize("studio", [390], indirect=True)
def test_words_are_folded_away_on_a_phone(studio):
    page = studio.page
    swatch = word(studio, "colour:black")
    until(swatch.is_hidden)
    page.locator("#words summary").click()
    swatch.wait_for()
    studio.choose("week", "Week 5, 2020")
    until(lambda: "week 5" in prompt_of(studio))
    assert swatch.is_visible() and studio.wide() == 390
    studio.shot("words-phone")
