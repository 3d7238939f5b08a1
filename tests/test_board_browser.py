"""Hearts and the Board tab in headless Chromium on the fake engine: what was made is there after a reload."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from studio import boardtexts, texts
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


def open_board(studio: Studio) -> None:
    studio.page.get_by_role("tab", name=boardtexts.TAB_BOARD).click()
    studio.page.locator("#board-grid .fd-kept, #board-grid .fd-empty").first.wait_for()


def tiles(studio: Studio, count: int):
    found = studio.page.locator("#board-grid .fd-kept")
    until(lambda: found.count() == count, lambda: f"{found.count()} tiles, not {count}")
    return found


def hearts(studio: Studio) -> list[str]:
    return studio.page.locator("#board-grid .fd-heart").evaluate_all("all => all.map(one => one.ariaPressed)")


def test_a_heart_survives_a_reload_and_is_a_pick(studio):
    page = studio.page
    page.locator("#prompt textarea").fill("first words")
    studio.generate()
    studio.status("ranked")
    heart = studio.cards().nth(1).locator(".fd-heart")
    heart.click()
    assert heart.get_attribute("aria-pressed") == "true"  # at once
    page.locator("#picks", has_text="1 pick (3 pairs) used for training.").wait_for()
    studio.shot("hearts")
    studio.open()
    assert studio.cards().count() == 0
    open_board(studio)
    tiles(studio, 4)
    assert hearts(studio) == ["false", "true", "false", "false"]
    page.locator("#board-picks", has_text="1 pick (3 pairs)").wait_for()
    page.locator("#board-training input").uncheck()
    page.locator("#board-picks", has_text="not used for training").wait_for()
    page.locator("#board-export").click()
    page.locator("#board-message", has_text="There are no picks to export").wait_for()
    page.locator("#board-training input").check()
    page.locator("#board-picks", has_text="1 pick").wait_for()
    page.locator("#board-export").click()
    with page.expect_download() as download:
        page.locator("#board-download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        (line,) = archive.read("picks/picks.jsonl").decode().splitlines()
    assert json.loads(line)["prompt"] == "first words" and len(json.loads(line)["losers"]) == 3


def test_the_board_finds_notes_collects_deletes_and_opens_again(studio):
    page = studio.page
    open_board(studio)
    assert boardtexts.EMPTY["all"] in page.locator("#board-grid").inner_text()  # another browser's are not shown
    page.get_by_role("tab", name="Design").click()
    studio.draw((100, 40), (280, 60))
    drawn = studio.paper()
    page.locator("#prompt textarea").fill("linen jacket")
    studio.generate()
    seed = int(studio.status("ranked").split("Seed ")[1].rstrip("."))
    page.locator("#template").click()
    page.locator("#prompt textarea").fill("something else")
    studio.status("idle", "Template placed")
    studio.generate()
    studio.status("ranked")
    open_board(studio)
    tiles(studio, 8)
    page.locator("#board-search textarea, #board-search input").fill("LINEN")
    tiles(studio, 4).nth(2).locator(".fd-open").click()
    page.locator("#board-details", has_text="linen jacket").wait_for()
    page.locator("#board-note textarea").fill("wider collar")
    page.locator("#board-note textarea").blur()
    page.locator("#board-boards input").fill("Spring")
    page.locator("#board-boards input").press("Enter")
    page.locator("#board-search textarea, #board-search input").fill("collar")
    tiles(studio, 1)
    studio.shot("board")
    page.locator("#board-delete").click()
    tiles(studio, 0)
    page.locator("#board-search textarea, #board-search input").fill("")
    tiles(studio, 7)
    page.get_by_role("radio", name=boardtexts.SHOWN["deleted"]).check()
    tiles(studio, 1)
    page.locator("#board-restore").click()
    tiles(studio, 0)
    page.get_by_role("radio", name=boardtexts.SHOWN["all"]).check()
    tiles(studio, 8)
    until(lambda: page.locator("#board-board input").count() == 1)
    studio.choose("board-board", "Spring")
    tiles(studio, 1)
    page.locator("#board-open").click()
    studio.status("idle", boardtexts.OPENED)
    until(lambda: np.array_equal(studio.paper(), drawn))
    assert page.locator("#prompt textarea").input_value() == "linen jacket"
    studio.generate()  # the seed is back, and kept
    studio.status("ranked", f"Seed {seed}.")


def test_a_board_is_renamed_deleted_restored_and_exported(studio):
    page = studio.page
    studio.generate()
    studio.status("ranked")
    open_board(studio)
    tiles(studio, 4).nth(1).locator(".fd-open").click()
    page.locator("#board-details .fd-details").wait_for()
    assert page.locator("#board-tools").is_hidden() and page.locator("#board-gone").is_hidden()
    page.locator("#board-boards input").fill("Spring")
    page.locator("#board-boards input").press("Enter")
    page.get_by_role("tab", name="Design").click()
    open_board(studio)
    studio.choose("board-board", "Spring")
    tiles(studio, 1)
    name = page.locator("#board-name textarea, #board-name input")
    until(lambda: name.is_visible() and name.input_value() == "Spring")
    name.fill("Early summer")
    page.locator("#board-rename").click()
    chosen, on_boards = page.locator("#board-board input"), page.locator("#board-boards")
    until(lambda: chosen.input_value() == "Early summer" and "Early summer" in on_boards.inner_text())
    tiles(studio, 1)
    studio.shot("board-tools")
    with page.expect_download() as download:
        page.locator("#board-zip").click()
    assert download.value.suggested_filename == "early-summer.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert json.loads(archive.read("board.json"))["title"] == "Early summer"
    page.locator("#board-message", has_text="Saved as early-summer.zip.").wait_for()
    page.locator("#board-drop").click()
    tiles(studio, 4)  # nothing is lost
    until(lambda: "Early summer" not in on_boards.inner_text())
    studio.shot("board-deleted")
    assert page.locator("#board-gone input").input_value() == "Early summer"
    page.locator("#board-bring-back").click()
    tiles(studio, 1)
    until(lambda: chosen.input_value() == "Early summer" and page.locator("#board-gone").is_hidden())
    until(lambda: "Early summer" in on_boards.inner_text())


def test_variations_weeks_and_comparison(studio, engine):
    page = studio.page
    studio.generate()
    studio.status("ranked")
    open_board(studio)
    marks = page.locator("#board-grid .fd-mark input")
    tiles(studio, 4)
    marks.nth(0).check()
    marks.nth(2).check()
    page.locator(".fd-compare figure").nth(1).wait_for()
    seam = page.locator(".fd-over input")
    seam.fill("20")
    assert page.locator(".fd-seam").evaluate("one => one.style.getPropertyValue('--seam')") == "20%"
    studio.shot("compare")
    marks.nth(0).uncheck()
    until(lambda: page.locator(".fd-compare").count() == 0)
    page.locator("#board-grid .fd-open").first.click()
    page.locator("#board-details .fd-details").wait_for()
    with engine.turns.take(1):  # somebody else's request
        page.get_by_role("tab", name=texts.TAB_DESIGN).click()
        studio.generate()
        studio.status("running", "1 request ahead")
        open_board(studio)
        page.locator("#board-weeks").click()
        page.locator("#board-message", has_text="2 requests ahead").wait_for()
        page.locator("#board-stop").click()
        page.locator("#board-stop").wait_for(state="hidden")
    page.get_by_role("tab", name=texts.TAB_DESIGN).click()
    studio.status("ranked")  # Stop was the strip's, not Generate's
    open_board(studio)
    page.locator("#board-weeks").click()
    page.locator(".fd-strip figure").nth(5).wait_for()
    weeks = page.locator(".fd-strip figure").evaluate_all("all => all.map(one => one.dataset.week)")
    assert weeks == sorted(weeks) and len(set(weeks)) == 6
    studio.shot("weeks")
    page.locator("#board-subtle").click()
    studio.status("ranked", "4 designs")
    assert studio.cards().count() == 4
    open_board(studio)
    tiles(studio, 18)  # twice four drawn, six weeks, four varied
