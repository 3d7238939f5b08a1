"""The canvas on the whole page in headless Chromium: shapes, zoom, repaint area, picture underneath, autosave, Live.

On the fake engine. FASHIONDISTILL_SHOTS names a folder for screenshots.
"""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from studio import texts
from studio.canvas import decode_mask, decode_picture
from studio.canvastexts import WORDS
from tests.studio_page import Studio, until

pytestmark = pytest.mark.browser

SESSION = "window.fashiondistillCanvas['fashiondistill-sketch']"


# Three pen strokes as fast as the page takes them, which a driver of the mouse on a busy machine is not.
STROKES = """() => {
    const canvas = document.querySelector('#sketch-canvas .fd-sketch');
    const box = canvas.getBoundingClientRect();
    const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
        bubbles: true, cancelable: true, pointerId: 7, pointerType: 'pen', isPrimary: true, pressure: 0.5,
        button: type === 'pointermove' ? -1 : 0, buttons: 1,
        clientX: box.left + x * box.width / 384, clientY: box.top + y * box.height / 512}));
    for (const x of [80, 140, 200]) {
        send('pointerdown', x, 480);
        for (let far = 0; far <= 40; far += 10) send('pointermove', x + far, 480);
        send('pointerup', x + 40, 480);
    }
}"""


@pytest.fixture
def contexts(browser):
    opened = []

    def open_context(**options):
        opened.append(browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options)))
        opened[-1].set_default_timeout(10_000)
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture
def open_studio(url, contexts, engine):
    engine.step_seconds, engine.fail_with = 0, None
    engine.requests.clear()
    engine.live_requests.clear()
    studios = []

    def open_one(context=None, query: str = "?__theme=light", **options) -> Studio:
        studios.append(Studio((context or contexts(**options)).new_page(), url))
        return studios[-1].open(query)

    yield open_one
    assert [studio.errors for studio in studios if studio.errors] == []


def press(studio: Studio, action: str) -> None:
    studio.page.locator(f'#sketch-canvas button[data-action="{action}"]').click()


def place(studio: Studio, x: float, y: float) -> tuple[float, float]:
    box = studio.page.locator("#sketch-canvas .fd-sketch").bounding_box()
    return box["x"] + x * box["width"] / 384, box["y"] + y * box["height"] / 512


def step(studio: Studio, field: str):
    return studio.page.evaluate(f"(each => each.steps[each.position].{field})({SESSION})")


def mask_of(studio: Studio) -> np.ndarray | None:
    return decode_mask(step(studio, "maskUrl"))


def said(studio: Studio, words: str) -> None:
    status = studio.page.locator("#sketch-canvas .fd-status")
    until(lambda: words in status.inner_text(), lambda: f"the canvas says {status.inner_text()!r}")


def ink(paper: np.ndarray, x: int, y: int, reach: int = 2) -> float:
    return float(paper[y - reach : y + reach + 1, x - reach : x + reach + 1].max())


def designs(studio: Studio) -> None:
    studio.generate()
    ranked = studio.page.locator('#status .fd-state[data-phase="ranked"]')
    until(lambda: ranked.count() and studio.cards().count() == 4, seconds=30)  # a busy machine's pages are large


def test_shapes_are_drawn_and_undone_one_by_one(open_studio):
    studio = open_studio()
    press(studio, "clear")
    papers = [studio.paper()]
    press(studio, "line")
    studio.draw((20, 480), (200, 500))
    papers.append(studio.paper())
    assert ink(papers[-1], 110, 490) > 0.8 and ink(papers[-1], 20, 480) > 0.5
    press(studio, "box")
    studio.draw((20, 20), (120, 80))
    papers.append(studio.paper())
    assert all(ink(papers[-1], *spot) > 0.8 for spot in ((20, 50), (120, 50), (70, 20), (70, 80)))
    assert papers[-1][40:60, 40:100].max() == 0
    press(studio, "oval")
    studio.page.keyboard.down("Shift")
    studio.draw((200, 20), (300, 70))
    studio.page.keyboard.up("Shift")
    papers.append(studio.paper())
    assert ink(papers[-1], 250, 120) > 0.8 and ink(papers[-1], 200, 70) > 0.8  # a circle of the longer side
    press(studio, "curve")
    studio.draw((40, 300), (240, 300))
    said(studio, WORDS["curve_bend"])
    assert len(papers) == studio.page.evaluate(f"{SESSION}.position") - 0  # not a step before it is pulled
    studio.page.mouse.move(*place(studio, 140, 200))
    studio.page.mouse.down()
    studio.page.mouse.up()
    papers.append(studio.paper())
    assert ink(papers[-1], 140, 200) > 0.8 and ink(papers[-1], 140, 300) == 0
    for expected in reversed(papers[:-1]):
        studio.page.keyboard.press("Control+z")
        assert np.array_equal(studio.paper(), expected)
    for expected in papers[1:]:
        studio.page.keyboard.press("Control+Shift+Z")
        assert np.array_equal(studio.paper(), expected)


def test_strokes_stay_at_their_place_whatever_the_zoom(open_studio):
    studio = open_studio()
    press(studio, "clear")
    studio.draw((100, 100), (180, 100))
    studio.page.mouse.move(*place(studio, 140, 100))
    studio.page.mouse.wheel(0, -500)  # after a stroke the wheel zooms
    zoom = studio.page.locator("#sketch-canvas .fd-zoom output")
    until(lambda: int(zoom.inner_text().split()[0]) > 250, zoom.inner_text)
    x, y = place(studio, 140, 100)
    studio.page.keyboard.down("Space")
    studio.page.mouse.down()
    studio.page.mouse.move(x + 40, y + 30, steps=4)
    studio.page.mouse.up()
    studio.page.keyboard.up("Space")
    moved = place(studio, 140, 100)
    assert abs(moved[0] - x - 40) < 2 and abs(moved[1] - y - 30) < 2
    studio.draw((120, 130), (160, 130))
    studio.shot("canvas-zoomed")
    press(studio, "fit")
    paper = studio.paper()
    rows, columns = np.nonzero(paper[115:] > 0.3)
    assert abs(rows.mean() + 115 - 129.5) < 1 and 116 <= columns.min() <= 121 and 159 <= columns.max() <= 164
    assert zoom.inner_text() == "100 %" and studio.page.evaluate("window.scrollY") == 0


def test_only_the_marked_area_of_a_design_is_repainted(open_studio, engine):
    studio = open_studio()
    press(studio, "layer_mask")
    studio.draw((30, 30), (60, 30))
    note = studio.page.locator("#sketch-canvas .fd-note")
    assert note.inner_text() == WORDS["mask_unused"]
    designs(studio)
    assert engine.requests[-1].mask is None and engine.requests[-1].image is None
    press(studio, "clear")
    studio.page.locator("button[data-repaint]").first.click()
    until(lambda: note.inner_text() == WORDS["mask_missing"])
    studio.generate()
    assert texts.PICTURE_WITHOUT_MASK in studio.status("failed")
    sketch = studio.paper()
    studio.draw((300, 140), (330, 220))
    assert note.inner_text() == WORDS["mask_used"] and np.array_equal(studio.paper(), sketch)
    studio.shot("canvas-repaint")
    href = studio.cards().first.locator("a.fd-save").get_attribute("href")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(href.split(",")[1]))).convert("RGB"))
    designs(studio)
    request = engine.requests[-1]
    assert np.array_equal(request.image, shown)  # to the last bit, not the JPEG of the card
    assert np.array_equal(request.mask, mask_of(studio))
    assert request.mask[180, 315] == 1 and 800 < request.mask.sum() < 6000
    studio.page.locator("#sketch-canvas .fd-sketch").focus()
    for _ in range(2):  # the stroke, then the picture
        studio.page.keyboard.press("Control+z")
    assert mask_of(studio) is None and step(studio, "under") is None
    studio.page.keyboard.press("Control+Shift+Z")
    assert np.array_equal(decode_picture(step(studio, "under.url")), shown)


def test_a_bestseller_lies_under_the_paper_and_gives_its_lines(open_studio, engine):
    studio = open_studio()
    calls = studio.num_calls
    tile = studio.page.locator("#bestsellers li").first
    tile.hover()
    tile.locator("button[data-underlay]").click()
    picture = studio.page.locator("#sketch-canvas .fd-under-picture")
    picture.wait_for()
    assert studio.num_calls == calls + 1
    garment = decode_picture(step(studio, "under.url")).min(axis=2) < 200
    studio.page.locator(".fd-opacity input").fill("60")
    assert picture.evaluate("each => each.style.opacity") == "0.6"
    studio.shot("canvas-underlay")
    before = studio.paper()
    press(studio, "trace")
    studio.status("idle", texts.TRACE_DONE)
    until(lambda: not np.array_equal(studio.paper(), before))
    rows, columns = np.nonzero(studio.paper() > 0.5)
    inside_rows, inside_columns = np.nonzero(garment)
    assert abs(rows.min() - inside_rows.min()) < 8 and abs(columns.max() - inside_columns.max()) < 8  # at its place
    press(studio, "remove")
    assert picture.is_hidden()
    tile.hover()
    tile.locator("button[data-underlay]").click()  # the same once more
    picture.wait_for()


def test_a_photo_stays_in_the_browser(open_studio):
    studio = open_studio()
    buffer = io.BytesIO()
    pixels = np.full((300, 300, 3), (20, 90, 160), np.uint8)
    pixels[-50:] = np.random.default_rng(0).integers(0, 256, (50, 300, 3))  # a file that no small request can hide
    Image.fromarray(pixels).save(buffer, format="JPEG")
    requests = []
    studio.page.on("request", lambda request: requests.append(request))
    with studio.page.expect_file_chooser() as chooser:
        press(studio, "photo")
    chooser.value.set_files({"name": "shirt.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()})
    studio.page.locator("#sketch-canvas .fd-under-picture").wait_for()
    picture = decode_picture(step(studio, "under.url"))
    assert abs(int(picture[256, 192, 2]) - 160) < 8 and (picture[5, 5] == 246).all()
    sent = [
        each for each in requests if not each.url.startswith(("data:", "blob:"))
    ]  # the page's own words may be late
    assert not [each.url for each in sent if "upload" in each.url]
    assert all(len(each.post_data_buffer or b"") < 2_000 < len(buffer.getvalue()) for each in sent)


def test_sketch_and_repaint_area_survive_a_reload_each_in_its_category(open_studio):
    studio = open_studio()
    studio.draw((20, 480), (200, 480))
    press(studio, "layer_mask")
    studio.draw((100, 200), (150, 200))
    sketch, mask = studio.paper(), mask_of(studio)
    studio.choose("category", "Full body")
    until(lambda: studio.page.evaluate(f"{SESSION}.slot") == "top5gfb")
    press(studio, "layer_sketch")
    press(studio, "clear")
    press(studio, "layer_mask")
    press(studio, "clear")
    press(studio, "layer_sketch")
    studio.draw((300, 20), (300, 400))
    dress = studio.paper()
    studio.page.reload()
    studio.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
    said(studio, WORDS["back"])
    assert np.array_equal(studio.paper(), sketch) and np.array_equal(mask_of(studio), mask)
    studio.choose("category", "Full body")
    said(studio, WORDS["slot_back"])
    assert np.array_equal(studio.paper(), dress) and mask_of(studio) is None


def test_two_tabs_keep_their_drawings_apart(open_studio, contexts):
    context = contexts()
    first = open_studio(context)
    first.draw((20, 480), (200, 480))
    mine = first.paper()
    second = open_studio(context)
    said(second, WORDS["from_other_tab"])
    assert np.array_equal(second.paper(), mine)
    second.draw((20, 20), (20, 200))
    theirs = second.paper()
    name = first.page.evaluate(f"{SESSION}.tab")
    copied = context.new_page()  # a duplicated tab has its original's sessionStorage
    key = "fashiondistill-sketch:tab"
    copied.add_init_script(f"if (!sessionStorage['{key}']) sessionStorage['{key}'] = '{name}'")
    third = Studio(copied, first.url).open()
    said(third, WORDS["back"])
    third.draw((370, 20), (370, 200))
    said(first, WORDS["other_tab"])
    for studio, expected in ((first, mine), (second, theirs), (third, third.paper())):
        studio.page.reload()
        studio.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
        said(studio, WORDS["back"])
        assert np.array_equal(studio.paper(), expected)


def test_the_help_sheet_opens_with_a_question_mark_outside_text(open_studio):
    studio = open_studio()
    sheet = studio.page.locator("#sketch-canvas dialog")
    studio.page.locator("#prompt textarea").press("?")
    assert sheet.is_hidden()
    studio.page.locator("#sketch-canvas .fd-sketch").focus()
    studio.page.keyboard.press("?")
    assert sheet.is_visible() and "Ctrl+Shift+Z" in sheet.inner_text()
    studio.shot("canvas-help")
    studio.page.keyboard.press("Escape")
    assert sheet.is_hidden()


def test_live_draws_the_latest_stroke_only_and_keeps_on_request(open_studio, engine):
    studio = open_studio()
    panel = studio.page.locator("#live-panel")
    assert panel.is_hidden()
    studio.draw((20, 480), (60, 480))
    studio.page.wait_for_timeout(700)
    assert engine.live_requests == []
    engine.step_seconds = 0.2
    press(studio, "live")
    until(lambda: len(engine.live_requests) == 1)
    panel.locator("img").wait_for()  # the driver counts requests only while it waits itself
    calls = studio.num_calls
    studio.page.evaluate(STROKES)  # all within the 400 ms, so one frame
    until(lambda: len(engine.live_requests) == 2)
    studio.page.wait_for_timeout(900)
    assert len(engine.live_requests) == 2 and studio.num_calls == calls + 1
    one, two = engine.live_requests
    assert one.seed == two.seed and two.config.num_candidates == 1 and two.config.num_inference_steps == 3
    assert np.abs(two.sketch - studio.paper()).max() < 1e-6
    studio.shot("canvas-live")
    studio.page.locator("#live-keep").click()
    kept = studio.page.locator("#live-kept .design-card")
    kept.wait_for()
    assert studio.cards().count() == 0
    studio.draw((20, 440), (60, 440))
    until(lambda: len(engine.live_requests) == 3)
    assert engine.live_requests[2].seed != two.seed
    engine.step_seconds = 0.1
    studio.generate()
    studio.status("running")
    studio.draw((20, 420), (60, 420))  # while Generate has the model Live stands aside
    panel.locator("p", has_text=texts.LIVE_BUSY).wait_for()
    studio.status("ranked")
    assert studio.cards().count() == 4 and kept.count() == 1 and len(engine.live_requests) == 3
    with studio.answered():
        kept.locator(".fd-heart").click()
    studio.open()
    kept.wait_for()  # kept like other designs: there after a reload, with its heart
    until(lambda: kept.locator(".fd-heart").get_attribute("aria-pressed") == "true")
    studio.shot("live-kept")


def test_a_phone_zooms_with_two_fingers_and_does_not_scroll(open_studio):
    studio = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2)
    studio.page.locator("#sketch-canvas .fd-sketch").scroll_into_view_if_needed()
    scrolled = studio.page.evaluate("window.scrollY")
    session = studio.page.context.new_cdp_session(studio.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    before = studio.paper()
    x, y = place(studio, 192, 256)
    touch("touchStart", (x - 30, y))
    touch("touchStart", (x - 30, y), (x + 30, y))
    for spread in range(30, 95, 8):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    zoom = studio.page.locator("#sketch-canvas .fd-zoom output")
    until(lambda: int(zoom.inner_text().split()[0]) > 200, zoom.inner_text)
    assert np.array_equal(studio.paper(), before)  # two fingers do not draw
    centre = place(studio, 192, 256)
    assert abs(centre[0] - x) < 3 and abs(centre[1] - y) < 3
    studio.shot("canvas-phone-zoomed")
    start, end = place(studio, 180, 300), place(studio, 200, 300)
    touch("touchStart", start)
    for part in range(1, 9):
        touch("touchMove", (start[0] + (end[0] - start[0]) * part / 8, start[1]))
    touch("touchEnd")
    until(lambda: not np.array_equal(studio.paper(), before))
    assert ink(studio.paper(), 190, 300) > 0.5
    assert studio.page.evaluate("window.scrollY") == scrolled and studio.wide() <= 390


def test_a_full_browser_loses_the_oldest_drawing_of_another_tab_and_says_so(open_studio):
    studio = open_studio()
    studio.page.evaluate(
        """() => {
            const fill = (name, at, length) => localStorage.setItem('fashiondistill-sketch:top5gub:' + name,
                JSON.stringify({ sketch: '', mask: '', under: null, at, padding: 'x'.repeat(length) }));
            fill('older', 1, 2400000);
            fill('newer', 2, 2400000);
            let length = 400000;
            for (let text = ''; length > 50; ) {
                try { localStorage.setItem('another-app', text + 'y'.repeat(length)); text += 'y'.repeat(length); }
                catch (error) { length = Math.floor(length / 2); }
            }
        }"""
    )
    studio.draw((20, 480), (200, 480))
    said(studio, WORDS["made_room"])
    names = studio.page.evaluate("Object.keys(localStorage).map((key) => key.split(':').at(-1))")
    assert "older" not in names and "newer" in names and "another-app" in names
    paper = studio.paper()
    studio.page.reload()
    studio.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
    said(studio, WORDS["back"])
    assert np.array_equal(studio.paper(), paper)
