"""The whole page in headless Chromium on the fake engine: from a stroke to ranked cards, and all that goes wrong.

FASHIONDISTILL_SHOTS names a folder for screenshots; FASHIONDISTILL_CHROMIUM another browser than /usr/bin/chromium.
"""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import drawertexts, texts, trendtexts
from studio.turns import Turns
from tests.fake_engine import HOSTILE
from tests.studio_page import SHOTS, Studio, until

pytestmark = pytest.mark.browser


@pytest.fixture
def open_studio(url, browser, engine):
    engine.step_seconds, engine.fail_with = 0, None
    opened = []

    def open_one(query: str = "?__theme=light", **options) -> Studio:
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        context.set_default_timeout(10_000)
        opened.append((context, Studio(context.new_page(), url)))
        return opened[-1][1].open(query)

    yield open_one
    for context, studio in opened:
        context.close()
        assert studio.errors == [] and studio.foreign == []


@pytest.fixture
def studio(open_studio):
    return open_studio()


def test_category_and_week_lead_what_the_designer_left_alone(studio, engine):
    page = studio.page
    prompt = page.locator("#prompt textarea")
    assert prompt.input_value() == "navy striped upper body garment of week 27"
    assert np.array_equal(studio.paper(), engine.template("top5gub"))
    studio.choose("category", "Lower body")
    page.locator("#headline", has_text="lower body units in 2020-W27").wait_for()
    studio.choose("week", "Week 10, 2020")
    page.locator("#headline", has_text="lower body units in 2020-W10").wait_for()
    until(lambda: prompt.input_value() == "navy striped lower body garment of week 10")
    names = page.locator("#bestsellers strong").all_inner_texts()
    assert names == [item.name for item in engine.bestsellers("top5glb", "2020-W10")] and HOSTILE in names
    assert page.locator("#bestsellers img[src=x]").count() == 0
    until(lambda: np.array_equal(studio.paper(), engine.template("top5glb")))
    page.wait_for_timeout(300)
    assert studio.num_calls == 5  # context, template and trends for the category, context and trends for the week

    studio.draw((100, 40), (280, 40))
    prompt.fill("my own words")
    drawn = studio.paper()
    studio.choose("category", "Full body")
    page.locator("#headline", has_text="full body units").wait_for()
    page.wait_for_timeout(300)
    assert np.array_equal(studio.paper(), drawn) and prompt.input_value() == "my own words"
    page.locator("#use-suggestion").click()
    until(lambda: prompt.input_value() == "navy striped full body garment of week 10")
    page.locator("#template").click()
    studio.status("idle", "Template placed")
    until(lambda: np.array_equal(studio.paper(), engine.template("top5gfb")))
    page.locator('#sketch-canvas [data-action="undo"]').click()
    assert np.array_equal(studio.paper(), drawn)


def test_quick_choices_are_followed_to_the_last_and_then_it_is_quiet(studio, engine, monkeypatch):
    for name in ("headline", "template", "shares"):
        answer = getattr(engine, name)
        monkeypatch.setattr(engine, name, lambda *given, answer=answer: (time.sleep(0.3), answer(*given))[1])
    for category in ("Lower body", "Shoes", "Full body"):
        studio.choose("category", category)
    studio.choose("week", "Week 10, 2020")
    studio.page.locator("#headline", has_text="full body units in 2020-W10").wait_for()
    studio.page.wait_for_timeout(800)
    calls = studio.num_calls
    studio.page.wait_for_timeout(600)
    assert studio.num_calls == calls <= 3 * 3 + 2
    assert "full body units in 2020-W10" in studio.page.locator("#headline").inner_text()
    assert studio.page.locator("#prompt textarea").input_value() == "navy striped full body garment of week 10"
    assert np.array_equal(studio.paper(), engine.template("top5gfb"))


def test_from_a_stroke_to_four_ranked_cards(studio, engine):
    engine.step_seconds = 0.05
    studio.draw((150, 250), (230, 300))
    sketch = studio.paper()
    counts = studio.page.evaluate_handle(
        """() => {
            const counts = [];
            new MutationObserver(() => {
                const cards = document.querySelectorAll("#results .design-card:not(.is-pending)").length;
                if (cards && counts.at(-1) !== cards) counts.push(cards);
            }).observe(document.querySelector("#results"), { childList: true, subtree: true });
            return counts;
        }"""
    )
    studio.generate()
    assert "Candidate 2 of 4, step " in studio.status("running", "Candidate 2 of 4")
    assert studio.page.locator("#generate").is_disabled() and studio.page.locator("#cancel").is_enabled()
    assert studio.cards().count() == 1 and studio.cards(".is-pending").count() == 3
    assert studio.cards().first.locator(".fd-badge").inner_text() == "Candidate 1"
    studio.shot("studio-running")
    told = studio.status("ranked", "4 designs ranked in ")
    assert counts.json_value() == [1, 2, 3, 4]
    assert studio.cards().locator(".fd-badge").all_inner_texts() == ["No. 1", "No. 2", "No. 3", "No. 4"]
    facts = studio.cards('[data-rank="1"]').inner_text()
    for word in ("Combined", "0.616", "CLIP-I", "0.820", "CLIP-T", "0.310", "Closest to No. 2, "):
        assert word in facts
    assert studio.page.locator("#generate").is_enabled() and studio.page.locator("#cancel").is_disabled()
    with studio.page.expect_download() as download:
        studio.cards('[data-rank="1"]').get_by_role("link", name=texts.DOWNLOAD).click()
    image = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    origin = json.loads(image.info["fashiondistill"])
    assert download.value.suggested_filename == f"top5gub_2020-W27_seed{origin['seed']}_rank1.png"
    assert image.size == (384, 512) and f"Seed {origin['seed']}." in told
    assert np.array_equal(studio.paper(), sketch)
    studio.cards('[data-rank="1"]').locator(".fd-picture").click()
    large = studio.page.locator(".fd-large:popover-open")
    assert large.bounding_box()["height"] > 700
    studio.page.keyboard.press("Escape")
    large.wait_for(state="detached")


def test_a_locked_seed_stays_and_an_open_one_changes(studio):
    page = studio.page
    page.locator("#more").get_by_text(texts.MORE).click()
    page.get_by_label(texts.LOCK_SEED).check()
    page.locator("#seed input").fill("4242424")  # longer than any that we pick
    studio.generate()
    studio.status("ranked", "Seed 4242424.")
    assert page.locator("#seed input").input_value() == "4242424"
    page.get_by_label(texts.LOCK_SEED).uncheck()
    page.keyboard.press("Control+Enter")
    studio.page.locator("#status", has_text="4242424").wait_for(state="detached")
    assert f"Seed {page.locator('#seed input').input_value()}." in studio.status("ranked")


def test_the_weight_reorders_the_cards_without_a_request(studio, engine):
    def shown():
        return studio.cards().evaluate_all(
            "all => all.map((one) => [one.dataset.candidate, one.dataset.rank, one.querySelector('dd').textContent])"
        )

    studio.generate()
    studio.status("ranked")
    first, calls, steps = shown(), studio.num_calls, engine.num_steps
    terms = studio.cards().evaluate_all(
        "all => all.map((card) => [+card.dataset.candidate, +card.dataset.clipI, +card.dataset.clipT])"
    )
    for weight in (1.0, 0.0, 0.25):
        studio.page.locator("#fd-weight").fill(f"{weight:g}")
        scores = {number: weight * image + (1 - weight) * text for number, image, text in terms}
        order = sorted(scores, key=lambda number: (-round(scores[number], 9), number))
        assert shown() == [[str(n), str(rank), f"{scores[n]:.3f}"] for rank, n in enumerate(order, start=1)]
        assert texts.ranked_by(weight, 1 - weight) in studio.page.locator(".fd-weight").inner_text()
    assert (studio.num_calls, engine.num_steps) == (calls, steps)
    studio.cards('[data-rank="1"]').get_by_text(texts.WHY, exact=True).click()
    assert studio.page.get_by_text(texts.WHY_WORDS).first.is_visible()
    studio.shot("studio-why")
    studio.page.locator("#fd-weight").dblclick()
    assert shown() == first


def test_cancel_keeps_the_cards_and_frees_the_model(studio, engine):
    engine.step_seconds, closed = 0.1, engine.num_closed
    studio.generate()
    studio.status("running", "Candidate 2 of 4")
    studio.page.locator("#cancel").click()
    assert studio.status("cancelled") == texts.CANCELLED
    until(lambda: engine.num_closed == closed + 1, seconds=1)
    steps = engine.num_steps
    assert studio.page.locator("#generate").is_enabled() and studio.page.locator("#cancel").is_disabled()
    studio.page.wait_for_timeout(500)
    assert engine.num_steps == steps and studio.status("cancelled") == texts.CANCELLED
    assert studio.cards().count() == 1 and studio.cards(".is-pending").count() == 0
    assert studio.cards().get_by_role("link", name=texts.DOWNLOAD).is_visible()
    studio.shot("studio-cancelled")
    engine.step_seconds = 0
    studio.generate()
    studio.status("ranked")


def test_cancel_has_the_last_word_over_steps_that_pour_in(studio, engine):
    page, engine.step_seconds = studio.page, 0.01
    page.locator("#more").get_by_text(texts.MORE).click()
    page.get_by_label(f"number input for {texts.STEPS}").fill("100")
    for _ in range(4):
        studio.generate()
        studio.status("running", "Candidate 1 of 4, step")
        page.locator("#cancel").click()
        assert studio.status("cancelled") == texts.CANCELLED
        page.wait_for_timeout(300)
        assert studio.status("cancelled") == texts.CANCELLED and page.locator("#generate").is_enabled()


def test_who_waits_sees_its_place_and_the_measured_time(open_studio, engine):
    first, second, third = (open_studio() for _ in range(3))
    engine.turns = Turns(engine.config.max_queue)  # no earlier test's paces
    engine.step_seconds = 1.0  # so slow that a busy machine opens the other two in the meantime
    first.generate()
    first.status("running", "Candidate 1 of 4, step 2")
    second.generate()
    words = second.status("running", "Waiting: 1 request ahead of yours, about")
    # 24 steps of a second, less those that are done, plus what the page takes beside them.
    assert 8 <= int(words.split("about ")[1].split(" s")[0]) <= 60
    third.generate()
    third.status("running", "Waiting: 2 requests ahead of yours, about")
    second.shot("waiting")
    second.page.locator("#cancel").click()
    second.status("cancelled")
    third.status("running", "Waiting: 1 request ahead of yours")
    first.page.locator("#cancel").click()
    third.status("running", "Candidate 1 of 4")
    engine.step_seconds = 0
    third.status("ranked")
    assert second.page.locator("#generate").is_enabled()


def test_leaving_the_page_frees_the_model(studio, engine):
    engine.step_seconds, closed = 0.1, engine.num_closed
    studio.generate()
    studio.status("running", "Candidate 1 of 4, step")
    studio.page.close()
    until(lambda: engine.num_closed == closed + 1, seconds=5)


def test_bad_requests_are_explained_and_harm_nothing(studio, engine):
    page, prompt = studio.page, studio.page.locator("#prompt textarea")
    studio.draw((100, 40), (280, 40))
    drawn, steps = studio.paper(), engine.num_steps

    def refused(says: str) -> None:
        studio.generate()
        studio.status("failed", says)
        assert engine.num_steps == steps

    prompt.fill("navy " * 76)
    refused("Prompt has 78 tokens, the text encoder takes 77. Shorten it")
    studio.shot("studio-failed")
    prompt.fill(" ")
    refused("Prompt is empty: describe the garment")
    assert np.array_equal(studio.paper(), drawn)
    studio.choose("category", "Accessories")
    studio.choose("week", "Week 1, 2020")
    page.locator("#headline", has_text=texts.NO_BESTSELLERS).wait_for()
    until(lambda: prompt.input_value() == "")
    assert page.locator("#bestsellers li").count() == 0
    prompt.fill("gold bag")
    refused("Week: nothing of Accessories was sold in 2020-W01, so there is nothing to rank against. Choose another")
    studio.choose("week", "Week 2, 2020")
    page.locator("#bestsellers li").first.wait_for()
    page.locator('[data-action="clear"]').click()
    refused("Sketch is empty: draw at least an outline")
    page.locator('[data-action="undo"]').click()
    assert np.array_equal(studio.paper(), drawn) and prompt.input_value() == "gold bag"
    studio.generate()
    studio.status("ranked")


def test_uploads_become_the_sketch_and_bad_ones_leave_it(studio):
    studio.draw((100, 40), (280, 40))
    drawn = studio.paper()
    for button, label in (("edge-map", texts.EDGE_MAP), ("photo", texts.PHOTO)):
        studio.upload(button, "notes.png", b"these are notes")
        told = studio.status("failed", label)
        assert told == f"{label}: the upload is not a picture that can be read. Give a PNG, JPEG or WebP file."
    studio.upload("edge-map", "notes.txt", b"these are notes")
    studio.page.get_by_test_id("toast-body").filter(has_text="Invalid file type").wait_for()
    assert np.array_equal(studio.paper(), drawn)
    studio.shot("studio-bad-upload")
    lines = np.zeros((512, 384), np.uint8)
    lines[100:400, 100:103] = 255
    buffer = io.BytesIO()
    Image.fromarray(lines).save(buffer, format="PNG")
    studio.upload("edge-map", "edges.png", buffer.getvalue())
    studio.status("idle", "Edge map placed")
    until(lambda: np.array_equal(studio.paper(), lines / 255.0))
    studio.page.locator('#sketch-canvas [data-action="undo"]').click()
    assert np.array_equal(studio.paper(), drawn)


def test_a_mistake_of_our_own_leaves_a_page_that_works(studio, engine):
    engine.fail_with = RuntimeError("bug")
    studio.generate()
    assert studio.status("failed") == texts.BROKEN
    assert studio.page.locator("#generate").is_enabled() and studio.page.locator("#cancel").is_disabled()
    engine.fail_with = None
    studio.generate()
    studio.status("ranked")


def open_trends(studio: Studio) -> None:
    studio.page.get_by_role("tab", name=texts.TAB_TRENDS).click()
    studio.page.locator(".fd-board[data-ready]").wait_for(timeout=60_000)  # seven plots, by software, on busy cores


def test_trends_mark_the_chosen_week(studio):
    page = studio.page
    open_trends(studio)
    plot = page.locator("#trend-plot .js-plotly-plot")
    plot.locator(".annotation-text", has_text="2020-W27").wait_for()
    assert page.locator("#trend-words").inner_text().startswith("Expected in 2020-W28: ")
    assert page.locator("#trend-plot > p").inner_text().count("2020-W27") == 1
    assert plot.locator(".fills .js-fill").count() == 7 and plot.locator(".shapelayer path").count() == 1
    drawn = page.locator(".fd-plot:has(.main-svg):has(.xtitle)")
    assert drawn.count() == len(trendtexts.TITLES) and all(
        len(words) > 20 for words in drawn.locator("> p").all_inner_texts()
    )
    page.get_by_label(texts.ATTRIBUTE_LABELS["pattern"]).check()
    plot.locator(".legendtext", has_text="striped").wait_for()
    studio.choose("week", "Week 10, 2020")
    plot.locator(".annotation-text", has_text="2020-W10").wait_for()
    page.get_by_role("tab", name=texts.TAB_DESIGN).click()
    assert studio.paper().any()


def test_plots_are_drawn_only_while_their_tab_is_open(studio, engine, monkeypatch):
    asked = []
    answer = engine.trend_facts
    monkeypatch.setattr(engine, "trend_facts", lambda *given: (asked.append(given), answer(*given))[1])
    libraries = []
    studio.page.on("request", lambda request: "plotly" in request.url and libraries.append(request.url))
    studio.choose("week", "Week 10, 2020")
    studio.page.locator("#headline", has_text="2020-W10").wait_for()
    studio.page.wait_for_timeout(300)
    assert asked == [] and libraries == []
    open_trends(studio)
    assert [given[2] for given in asked] == ["2020-W10"] and len(libraries) == 1
    studio.page.get_by_role("tab", name=texts.TAB_DESIGN).click()
    studio.choose("week", "Week 11, 2020")
    studio.page.locator("#headline", has_text="2020-W11").wait_for()
    studio.page.wait_for_timeout(300)
    assert len(asked) == 1


def test_a_click_leads_to_pictures_and_marks_the_word_everywhere(studio, engine, monkeypatch):
    page = studio.page
    open_trends(studio)
    bar = page.locator("#trend-momentum .point path").last
    word = page.locator("#trend-momentum .ytick text").last.text_content()
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    drawer = page.locator("#trend-pictures details")
    drawer.wait_for()
    assert drawer.locator("summary").inner_text() == f"{word.capitalize()}, 2020-W27"
    place = drawer.bounding_box()  # sticks to the lower edge of the window, far below it though its place is
    assert 0 < place["y"] and abs(place["y"] + place["height"] - page.viewport_size["height"]) < 4
    assert drawer.locator("li").count() == 5 and drawer.locator("img[src=x]").count() == 0
    faint = "els => els.map(each => Number(getComputedStyle(each).opacity)).filter(value => value < 0.5).length"
    assert page.locator("#trend-life .point").evaluate_all(faint) == page.locator("#trend-life .point").count() - 1
    studio.shot("studio-trends-drawer")
    before = studio.paper()
    monkeypatch.setattr(engine, "write_pictures", False)
    engine.bestsellers("top5gub", "2020-W27")[0].image.unlink()  # after it was shown
    drawer.locator("li").nth(0).locator('[data-take="trace"]').click()
    page.locator("#trend-pictures .fd-state", has_text="has no picture to trace").wait_for()
    drawer.locator("li").nth(1).locator('[data-take="trace"]').click()
    studio.status("idle", drawertexts.TRACED)
    until(lambda: studio.paper().any() and not np.array_equal(studio.paper(), before))
    page.get_by_role("tab", name=texts.TAB_TRENDS).click()
    drawer.locator("li").nth(1).locator('[data-take="prompt"]').click()
    studio.status("idle", drawertexts.USED)
    assert page.locator("#prompt textarea").input_value() == engine.bestsellers("top5gub", "2020-W27")[1].caption


def test_plots_are_saved_as_png_svg_and_csv(studio):
    page = studio.page
    open_trends(studio)
    heads = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b"word,week,forecast,low_80,high_80,true_low_80"}
    for kind, head in heads.items():
        with page.expect_download() as download:
            page.locator("#trend-forecast .fd-plot-tools").get_by_role("button", name=f"as {kind}").click()
        assert download.value.suggested_filename == f"forecast_top5gub_colour_2020-W27.{kind.lower()}"
        assert Path(download.value.path()).read_bytes().startswith(head)


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two colours as the browser gives them."""

    def luminance(colour: str) -> float:
        levels = np.array([float(each) for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_reads_on_either_theme(open_studio, theme):
    studio = open_studio(f"?__theme={theme}", color_scheme=theme)
    page = studio.page
    studio.generate()
    studio.status("ranked")
    studio.shot(f"studio-{theme}")
    style = "(each, name) => getComputedStyle(each)[name]"
    ground = page.locator("body").evaluate(style, "backgroundColor")
    for selector in (".fd-headline", "#bestsellers small", "#status p", 'button[role="tab"][aria-selected="true"]'):
        assert contrast(page.locator(selector).first.evaluate(style, "color"), ground) >= 4.5, selector
    card = studio.cards('[data-rank="2"]')
    surface = card.evaluate(style, "backgroundColor")
    for selector in (".fd-badge", "dt >> nth=1", "dd >> nth=0", ".fd-nearest", ".fd-save"):
        assert contrast(card.locator(selector).evaluate(style, "color"), surface) >= 4.5, selector
    open_trends(studio)
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"studio-trends-{theme}.png"), full_page=True)
    for selector in (".xtick text", ".legendtext", ".annotation-text", ".xtitle"):
        colour = page.locator(f"#trend-plot {selector}").first.evaluate(style, "fill")
        assert contrast(colour, ground) >= 4.5, selector


@pytest.mark.parametrize("size", [(390, 844), (1366, 768)])
def test_nothing_scrolls_sideways_or_is_cut(open_studio, size):
    phone = {"has_touch": True, "is_mobile": True} if size[0] == 390 else {}
    studio = open_studio(viewport={"width": size[0], "height": size[1]}, **phone)
    page = studio.page
    assert studio.wide() <= size[0]
    studio.generate()
    studio.status("ranked")
    assert studio.wide() <= size[0]
    for selector in ("#generate", "#cancel", "#template", "#edge-map", "#photo", "#prompt", ".fd-score", ".fd-save"):
        for each in page.locator(selector).all():
            box = each.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= size[0], selector
            assert each.evaluate("each => each.scrollWidth <= each.clientWidth + 1"), selector
    page.locator("#more").get_by_text(texts.MORE).click()
    page.locator("#seed input").wait_for()
    assert studio.wide() <= size[0]
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"studio-{size[0]}.png"), full_page=True)
    open_trends(studio)
    assert studio.wide() <= size[0]
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"studio-trends-{size[0]}.png"), full_page=True)
