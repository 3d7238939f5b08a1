"""The studio's page as a designer uses it, for browser tests. FASHIONDISTILL_SHOTS names a folder for screenshots."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from studio.canvas import decode_canvas

SHOTS = os.environ.get("FASHIONDISTILL_SHOTS")


def until(reached, otherwise=lambda: "nothing happened in time", *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.03)


class Studio:
    """The page as a designer uses it."""

    def __init__(self, page, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.num_calls = 0
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "blob:")):
            self.foreign.append(address)
        self.num_calls += "/queue/join" in address

    def open(self, query: str = "?__theme=light") -> Studio:
        self.page.goto(self.url + query)
        self.page.wait_for_selector("#sketch-canvas .fd-canvas[data-ready]")
        self.page.wait_for_selector("#generate:enabled")
        return self

    def choose(self, field: str, option: str) -> None:
        self.page.locator(f"#{field} input").click()
        self.page.get_by_role("option", name=option).click()

    def paper(self) -> np.ndarray:
        return decode_canvas(self.page.locator("#sketch-canvas .fd-sketch").evaluate("each => each.toDataURL()"))

    def draw(self, *points: tuple[float, float]) -> None:
        box = self.page.locator("#sketch-canvas .fd-sketch").bounding_box()
        places = [(box["x"] + x * box["width"] / 384, box["y"] + y * box["height"] / 512) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=8)
        self.page.mouse.up()

    def upload(self, button: str, name: str, data: bytes) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.locator(f"#{button}").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": data})

    def generate(self) -> None:
        self.page.locator("#generate").click()

    def cards(self, kind: str = ":not(.is-pending)"):
        return self.page.locator(f"#results .design-card{kind}")

    def status(self, phase: str, text: str = "") -> str:
        """What the status line says, once it is in `phase` and holds `text`."""
        shown = self.page.locator("#status .fd-state")
        found = self.page.locator(f'#status .fd-state[data-phase="{phase}"]', has_text=text)
        until(found.is_visible, lambda: f"the status is {shown.inner_text()!r}, not {phase} with {text!r}")
        return shown.inner_text()

    @contextmanager
    def answered(self) -> Iterator[None]:
        """A block that ends when the answers to what it asked for are in: a reload before would abort them.

        They come in a stream that either side may end: Playwright calls the one finished and the other failed.
        """
        ended = []

        def note(request) -> None:
            if "/queue/data" in request.url:
                ended.append(request)

        for event in ("requestfinished", "requestfailed"):
            self.page.on(event, note)
        yield
        until(lambda: self._turn_of_the_page() and ended, lambda: "no answer came in time", seconds=30)
        for event in ("requestfinished", "requestfailed"):
            self.page.remove_listener(event, note)

    def _turn_of_the_page(self) -> bool:
        """Playwright hands its events on while it is asked something."""
        self.page.wait_for_timeout(20)
        return True

    def wide(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth")

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))
