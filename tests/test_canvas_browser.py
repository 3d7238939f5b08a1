"""The sketch canvas in headless Chromium: what a stroke costs, and that no drawing is ever lost.

One minimal page in this process; each test opens it in a fresh browser context. FASHIONDISTILL_SHOTS names a folder
for screenshots; FASHIONDISTILL_CHROMIUM another browser than /usr/bin/chromium.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from studio.canvas import decode_canvas, encode_canvas

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("FASHIONDISTILL_SHOTS")
KEY = "fashiondistill-sketch"


def template_sketch() -> np.ndarray:
    sketch = np.zeros((512, 384), np.float32)
    sketch[120:420, 120:123] = sketch[120:420, 261:264] = 1
    sketch[120:123, 120:264] = sketch[417:420, 120:264] = 1
    return sketch


class Log:
    """What Python was told: the values of change events and the number of input events."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self.inputs = 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    import gradio as gr

    from studio.components import SketchCanvas

    log = Log()

    def changed(value):
        log.values.append(value)
        return f"{len(log.values)} changes, {decode_canvas(value).sum():.0f} ink"

    def typed():
        log.inputs += 1

    with gr.Blocks() as page:
        with gr.Tabs():
            with gr.Tab("Design"):
                canvas = SketchCanvas()
                note = gr.Textbox(label="Note")
                heard = gr.Textbox(label="Heard")
                load, empty, ghost = gr.Button("Template"), gr.Button("Empty"), gr.Button("Ghost")
                rubbish = gr.Button("Rubbish")
            with gr.Tab("Other"):
                SketchCanvas(encode_canvas(template_sketch()), elem_id="second-canvas", storage_key="second")
                load_from_other = gr.Button("Template from here")
        canvas.change(changed, canvas, heard, show_progress="hidden")
        canvas.input(typed, show_progress="hidden")
        for button in (load, load_from_other):
            button.click(lambda: encode_canvas(template_sketch()), None, canvas, show_progress="hidden")
        empty.click(lambda: None, None, canvas, show_progress="hidden")
        rubbish.click(lambda: "<b>no picture</b>", None, canvas, show_progress="hidden")
        under = [encode_canvas(template_sketch()), {"base": False, "name": "Ghost"}]
        ghost.click(lambda: gr.update(underlay=under), None, canvas, show_progress="hidden")
        note.submit(lambda: None)
    _, url, _ = page.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, enable_monitoring=False)
    yield url, log
    page.close()


class Studio:
    """The page as a designer uses it."""

    def __init__(self, page, url: str, log: Log) -> None:
        self.page, self.url, self.log = page, url, log
        self.canvas = "sketch-canvas"
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.at_start = ""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))

    def open(self, query: str = "") -> Studio:
        self.page.goto(self.url + query)
        self.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
        self.page.wait_for_timeout(300)
        self.start()
        return self

    def start(self) -> None:
        self.at_start = self.told()
        self.log.values.clear()
        self.log.inputs = 0
        self.requests.clear()

    def settle(self) -> None:
        """Until Python has heard of what is on the paper, and nothing new for 0.3 s."""
        seen, end = -1, time.monotonic() + 10
        while seen != len(self.log.values) or self.unheard():
            assert time.monotonic() < end, "Python did not hear of what is on the paper"
            seen = len(self.log.values)
            self.page.wait_for_timeout(300)

    def unheard(self) -> bool:
        """Whether the first canvas's value is another than Python heard last, or at the start."""
        return self.told() != (self.log.values[-1] if self.log.values else self.at_start)

    def told(self) -> str:
        return self.page.evaluate(f"(each => each.steps[each.position].url)(window.fashiondistillCanvas['{KEY}'])")

    def find(self, selector: str):
        return self.page.locator(f"#{self.canvas} {selector}")

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()
        self.settle()

    def box(self) -> dict[str, float]:
        return self.find(".fd-sketch").bounding_box()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Sketch coordinates -> page coordinates."""
        box = self.box()
        return box["x"] + x * box["width"] / 384, box["y"] + y * box["height"] / 512

    def draw(self, *points: tuple[float, float], steps: int = 12) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=steps)
        mouse.up()
        self.settle()

    def press(self, action: str) -> None:
        self.find(f'button[data-action="{action}"]').click(force=True)  # also what is greyed out
        self.settle()

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def width(self, pixels: int) -> None:
        self.find(".fd-width input").fill(str(pixels))

    def paper(self) -> np.ndarray:
        """The drawing as it is on the screen's canvas."""
        return decode_canvas(self.find(".fd-sketch").evaluate("each => each.toDataURL()"))

    def value(self) -> np.ndarray:
        """The drawing as Python heard it last."""
        return decode_canvas(self.log.values[-1])

    def records(self) -> list[dict]:
        """What is saved in the browser, whoever saved it."""
        script = f"Object.entries(localStorage).filter(([key]) => key.startsWith('{KEY}:')).map(([, text]) => text)"
        return [json.loads(text) for text in self.page.evaluate(script)]

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def studio(server, browser):
    url, log = server
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    studio = Studio(context.new_page(), url, log).open("?__theme=light")
    yield studio
    context.close()
    assert studio.errors == []


def test_a_stroke_is_one_change_and_no_upload(studio):
    studio.draw((100, 100), (200, 300), (300, 100), steps=40)
    assert len(studio.log.values) == 1
    assert studio.log.inputs == 1
    assert np.array_equal(studio.value(), studio.paper())
    posts = [line for line in studio.requests if line.startswith("POST")]
    assert not any("upload" in line for line in posts)
    assert len(posts) == 2, posts  # one for .change, one for .input: each listener of the page is one request
    assert not any(studio.url.rstrip("/") not in line and "data:" not in line for line in studio.requests)


def test_strokes_land_where_the_pointer_was(studio):
    studio.width(4)
    studio.draw((50, 60), (50, 450))
    studio.draw((320, 500), (320, 500))  # a click leaves a dot
    paper = studio.paper()
    assert paper[100:400, 50].min() > 0.9 and paper[480:, 318:323].max() == 1
    rows, columns = np.nonzero(paper[:, :200])
    assert abs(columns.mean() - 49.5) < 1.5 and rows.min() >= 56 and rows.max() <= 454
    assert 3 <= (paper[250, :200] > 0.3).sum() <= 5


def test_undo_redo_clear_by_button(studio):
    studio.draw((50, 50), (150, 50))
    first = studio.paper()
    studio.draw((50, 200), (150, 200))
    second = studio.paper()
    studio.press("undo")
    assert np.array_equal(studio.paper(), first) and np.array_equal(studio.value(), first)
    studio.press("redo")
    assert np.array_equal(studio.paper(), second) and np.array_equal(studio.value(), second)
    studio.press("clear")
    assert not studio.paper().any() and studio.log.values[-1] == ""
    studio.press("undo")
    assert np.array_equal(studio.paper(), second)
    for _ in range(3):
        studio.press("undo")
    assert not studio.paper().any()
    assert len(studio.log.values) == 8  # two strokes, undo, redo, clear, undo, undo, undo; the last press had nothing
    assert studio.find('[data-action="undo"]').get_attribute("aria-disabled") == "true"


def test_keys_undo_only_away_from_text(studio):
    studio.draw((50, 50), (150, 50))
    drawn = studio.paper()
    studio.page.keyboard.press("Control+z")
    studio.settle()
    assert not studio.paper().any()
    studio.page.keyboard.press("Control+Shift+Z")
    studio.settle()
    assert np.array_equal(studio.paper(), drawn)
    note = studio.page.get_by_label("Note")
    note.click()
    note.press_sequentially("beb")
    note.press("Control+z")
    studio.settle()
    assert np.array_equal(studio.paper(), drawn)
    assert studio.find(".fd-canvas").get_attribute("data-tool") == "brush"
    studio.tab("Other")
    studio.page.evaluate("document.activeElement.blur()")
    studio.page.keyboard.press("Control+z")
    studio.tab("Design")
    studio.settle()
    assert np.array_equal(studio.paper(), drawn)


def test_tool_keys_on_the_paper(studio):
    tool = studio.find(".fd-canvas")
    studio.draw((50, 50), (150, 50))
    studio.page.keyboard.press("e")
    assert tool.get_attribute("data-tool") == "eraser"
    studio.page.keyboard.press("b")
    studio.page.keyboard.press("]")
    assert tool.get_attribute("data-tool") == "brush"
    assert studio.find(".fd-width output").inner_text() == "4"


def test_eraser_takes_away_and_idle_strokes_cost_nothing(studio):
    studio.draw((100, 100), (300, 100))
    studio.press("eraser")
    assert studio.find('[data-action="eraser"]').get_attribute("aria-pressed") == "true"
    before = len(studio.log.values)
    studio.draw((100, 300), (300, 300))  # nothing there
    assert len(studio.log.values) == before
    studio.draw((200, 60), (200, 140))
    paper = studio.paper()
    assert paper[100, 195:205].max() == 0 and paper[100, 120] > 0.5 and paper[100, 280] > 0.5
    studio.width(40)
    studio.draw((80, 100), (320, 100))
    assert studio.log.values[-1] == ""  # all rubbed out is an untouched canvas


def test_mirror_draws_both_halves(studio):
    studio.press("mirror")
    studio.draw((100, 100), (60, 400))
    paper = studio.paper()
    assert np.abs(paper - paper[:, ::-1]).max() < 0.05 and paper[:, :192].sum() > 100
    assert len(studio.log.values) == 1


def test_python_sets_the_value_as_one_undoable_step(studio):
    studio.draw((30, 30), (90, 30))
    drawn = studio.paper()
    studio.button("Template")
    assert np.array_equal(studio.paper(), template_sketch())
    assert np.array_equal(studio.value(), template_sketch())
    assert studio.log.inputs == 1  # the stroke; what Python writes is not input
    studio.press("undo")
    assert np.array_equal(studio.paper(), drawn)
    studio.press("redo")
    assert np.array_equal(studio.paper(), template_sketch())
    studio.draw((30, 480), (90, 480))
    both = studio.paper()
    assert both[480, 60] > 0.5 and both[121, 200] == 1
    studio.button("Empty")
    assert not studio.paper().any()
    studio.press("undo")
    assert np.array_equal(studio.paper(), both)
    for _ in range(3):
        studio.press("undo")
    assert not studio.paper().any()


def test_reload_keeps_the_drawing_and_tells_python(studio):
    studio.draw((50, 50), (150, 250), (300, 60))
    drawn = studio.paper()
    studio.start()
    studio.page.reload()
    studio.page.wait_for_selector('#sketch-canvas .fd-canvas[data-ready][data-blank="no"]')
    studio.settle()
    assert np.array_equal(studio.paper(), drawn)
    assert len(studio.log.values) == 1 and np.array_equal(studio.value(), drawn)
    studio.press("undo")
    assert not studio.paper().any()
    assert [record["sketch"] for record in studio.records()] == [""]


def test_tabs_and_other_events_leave_the_drawing(studio):
    studio.draw((50, 50), (150, 250))
    drawn = studio.paper()
    studio.tab("Other")
    studio.tab("Design")
    studio.button("Ghost")
    assert studio.find(".fd-under-picture").is_visible() and studio.find(".fd-under-name").inner_text() == "Ghost"
    studio.shot("canvas-onion")
    assert np.array_equal(studio.paper(), drawn)
    assert len(studio.log.values) == 1  # the onion is no part of the value
    studio.tab("Other")
    studio.button("Template from here")
    studio.tab("Design")
    studio.settle()
    assert np.array_equal(studio.paper(), template_sketch())
    studio.press("undo")
    assert np.array_equal(studio.paper(), drawn)


def test_what_is_no_picture_leaves_the_drawing(studio):
    studio.draw((50, 50), (150, 250))
    drawn = studio.paper()
    studio.button("Rubbish")
    assert np.array_equal(studio.paper(), drawn) and np.array_equal(studio.value(), drawn)
    assert "could not be loaded" in studio.find(".fd-status").inner_text()
    assert studio.page.locator("#sketch-canvas b").count() == 0


def test_an_opening_value_yields_to_the_saved_drawing(studio):
    studio.canvas = "second-canvas"
    studio.tab("Other")
    studio.find(".fd-canvas[data-ready]").wait_for()
    assert np.array_equal(studio.paper(), template_sketch())
    studio.draw((30, 480), (90, 480))
    drawn = studio.paper()
    assert drawn[480, 60] > 0.5 and drawn[121, 200] == 1
    assert studio.log.values == []  # the first canvas was not touched
    studio.page.reload()
    studio.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
    studio.tab("Other")
    studio.find(".fd-canvas[data-ready]").wait_for()
    assert np.array_equal(studio.paper(), drawn)
    studio.press("undo")
    assert np.array_equal(studio.paper(), template_sketch())


def test_blocked_storage_is_said_and_harms_nothing(server, browser):
    url, log = server
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
    )
    studio = Studio(context.new_page(), url, log).open()
    studio.draw((50, 50), (150, 250))
    assert len(log.values) == 1 and studio.paper().any()
    assert "does not allow saving" in studio.find(".fd-status").inner_text()
    context.close()


def test_damaged_autosave_opens_an_empty_canvas(studio):
    damaged = json.dumps({"sketch": "data:image/png;base64,AAAA", "mask": "", "under": None, "at": 1})
    studio.page.evaluate(f"text => localStorage.setItem('{KEY}::' + sessionStorage['{KEY}:tab'], text)", damaged)
    studio.page.reload()
    studio.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready][data-blank=yes]")
    studio.settle()
    studio.draw((50, 50), (150, 250))
    assert studio.paper().any()
    studio.errors.clear()  # Chromium itself logs the picture that it cannot read


def test_pen_pressure_changes_the_width(studio):
    studio.width(8)
    studio.page.evaluate(
        """() => {
            const canvas = document.querySelector('#sketch-canvas .fd-sketch');
            const box = canvas.getBoundingClientRect();
            const send = (type, x, y, pressure) => canvas.dispatchEvent(new PointerEvent(type, {
                bubbles: true, cancelable: true, pointerId: 7, pointerType: 'pen', isPrimary: true, pressure,
                button: type === 'pointermove' ? -1 : 0, buttons: 1,
                clientX: box.left + x * box.width / 384, clientY: box.top + y * box.height / 512}));
            for (const [y, pressure] of [[100, 0.1], [300, 1]]) {
                send('pointerdown', 50, y, pressure);
                for (let x = 60; x <= 330; x += 10) send('pointermove', x, y, pressure);
                send('pointerup', 330, y, pressure);
            }
        }"""
    )
    studio.settle()
    paper = studio.paper()
    light, heavy = paper[80:120, 200].sum(), paper[280:320, 200].sum()
    assert 3 < light < 7 and 10 < heavy < 14


def test_a_phone_draws_with_a_finger(server, browser):
    url, log = server
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    studio = Studio(context.new_page(), url, log).open("?__theme=light")
    box = studio.box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and abs(box["height"] / box["width"] - 512 / 384) < 0.01
    assert studio.page.evaluate("document.documentElement.scrollWidth") <= 390
    session = context.new_cdp_session(studio.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [dict(zip(("x", "y"), studio.at(*point), strict=True)) for point in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (100, 100))
    for y in range(110, 410, 10):
        touch("touchMove", (100, y))
    touch("touchEnd")
    studio.settle()
    paper = studio.paper()
    assert paper[120:390, 98:103].max(axis=1).min() > 0.6 and len(log.values) == 1
    assert studio.page.evaluate("window.scrollY") == 0  # drawing does not scroll the page
    touch("touchStart", (200, 100))
    touch("touchMove", (200, 200))
    touch("touchStart", (200, 200), (300, 300))  # a second finger: the stroke is given up
    touch("touchEnd")
    studio.settle()
    assert np.array_equal(studio.paper(), paper)
    for tool in studio.find("button:visible").all():
        assert tool.bounding_box()["width"] >= 44 and tool.bounding_box()["height"] >= 44
    studio.shot("canvas-390")
    context.close()
    assert studio.errors == []


def dress(studio: Studio) -> None:
    studio.press("mirror")
    studio.draw((192, 90), (165, 84), (150, 60))
    studio.draw((150, 60), (118, 74), (104, 120), (128, 170), (140, 250), (132, 262))
    studio.draw((140, 250), (110, 360), (84, 460), (192, 470))
    studio.draw((160, 262), (158, 350), (150, 452))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_stays_white_in_both_themes(server, browser, theme):
    url, log = server
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    studio = Studio(context.new_page(), url, log).open(f"?__theme={theme}")
    studio.shot(f"canvas-{theme}-blank")
    dress(studio)
    studio.width(24)
    studio.page.mouse.move(*studio.at(240, 380))
    studio.shot(f"canvas-{theme}")
    paper = studio.find(".fd-paper")
    assert paper.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"
    toolbar = studio.find(".fd-canvas").evaluate("each => getComputedStyle(each).backgroundColor")
    levels = [int(level) for level in toolbar[4:-1].split(",")[:3]]
    assert (max(levels) < 80) if theme == "dark" else (min(levels) > 200)
    assert studio.find("button:not([aria-label])").count() == 0
    studio.draw((192, 300), (192, 300))
    outline = "each => getComputedStyle(each).outlineStyle"
    assert paper.evaluate(outline) == "none"  # drawing shows no focus ring, the Tab key does
    studio.page.keyboard.press("Tab")
    studio.page.keyboard.press("Shift+Tab")
    assert paper.evaluate(outline) == "solid"
    studio.page.keyboard.press("Shift+Tab")
    assert studio.find("input:focus-visible").evaluate(outline) == "solid"
    context.close()
    assert studio.errors == []
