"""What a first visit costs: bytes over the network by type, and when the page can be used.

In: the address of a running studio. Out: `PageLoad`. Needs Chromium and playwright (tests/requirements.txt). Bytes are
as transferred, headers and compression included, counted by Chromium itself (Network.loadingFinished); every visit
starts with an empty cache.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

SETTLE = 1.5  # seconds without a transfer, after which the visit counts as loaded
POLL = 20  # milliseconds between two looks at the page
LAUNCH = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

# Whether the canvas takes a stroke is asked by making one: a short line in a corner that is paper.
INK = """() => {
  const canvas = document.querySelector("#sketch-canvas .fd-sketch");
  if (!canvas || !document.querySelector("#sketch-canvas .fd-canvas[data-ready]")) return -1;
  const pixels = canvas.getContext("2d").getImageData(0, 0, 60, 60).data;
  let ink = 0;
  for (let i = 0; i < pixels.length; i += 4) ink += (255 - pixels[i]) * pixels[i + 3] / 255;
  return ink;
}"""


@dataclass(frozen=True)
class Transfers:
    """Requests of one type and their bytes."""

    count: int
    bytes: int


@dataclass(frozen=True)
class PageLoad:
    """One visit.

    Attributes:
        by_type: Chromium's resource type, such as "Script", to its transfers.
        generate: seconds from the navigation until Generate can be pressed.
        stroke: seconds from the navigation until a stroke that was made has left ink.
        loaded: seconds from the navigation until the last transfer of the first load.
    """

    by_type: dict[str, Transfers]
    generate: float
    stroke: float
    loaded: float

    @property
    def total(self) -> Transfers:
        """All types."""
        return Transfers(
            sum(one.count for one in self.by_type.values()), sum(one.bytes for one in self.by_type.values())
        )


def visit(url: str, *, timeout: float = 120.0) -> PageLoad:
    """Open the page once in a fresh browser.

    Raises:
        TimeoutError: naming what did not come in `timeout` seconds.
    """
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=LAUNCH)
        found = _visit(browser, url, timeout)
        browser.close()
    return found


def _visit(browser: Browser, url: str, timeout: float) -> PageLoad:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    session = page.context.new_cdp_session(page)
    counted = _Counter(session)
    start = time.monotonic()
    page.goto(url, wait_until="commit")
    times: dict[str, float] = {}
    looks: dict[str, Callable[[], bool]] = {
        "generate": lambda: page.locator("#generate:enabled").count() > 0,
        "stroke": lambda: _stroke(page),
    }
    while looks:
        for name, reached in list(looks.items()):
            if reached():
                times[name] = time.monotonic() - start
                del looks[name]
        if time.monotonic() - start > timeout:
            raise TimeoutError(f"{url}: no sign of {' and '.join(looks)} after {timeout:.0f} s.")
        page.wait_for_timeout(POLL)
    while time.monotonic() - counted.last < SETTLE:
        page.wait_for_timeout(POLL)
    return PageLoad(counted.by_type(), times["generate"], times["stroke"], counted.last - start)


def _stroke(page: Page) -> bool:
    """Try a stroke; whether it left ink."""
    before = page.evaluate(INK)
    if before < 0:
        return False
    box = page.locator("#sketch-canvas .fd-sketch").bounding_box()
    assert box is not None, "a canvas that is ready is shown"
    left, top = box["x"] + box["width"] * 0.03, box["y"] + box["height"] * 0.03
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + box["width"] * 0.08, top + 4, steps=4)
    page.mouse.up()
    return page.evaluate(INK) > before


class _Counter:
    """Finished transfers of a page. Streams that stay open, such as Gradio's heartbeat, never finish and count not."""

    def __init__(self, session: CDPSession) -> None:
        self._types: dict[str, str] = {}
        self._bytes: dict[str, list[int]] = defaultdict(list)
        self.last = time.monotonic()
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event: dict) -> None:
        if not event["response"]["url"].startswith(("data:", "blob:")):
            self._types[event["requestId"]] = event["type"]

    def _finished(self, event: dict) -> None:
        kind = self._types.get(event["requestId"])
        if kind is not None:
            self._bytes[kind].append(int(event["encodedDataLength"]))
            self.last = time.monotonic()

    def by_type(self) -> dict[str, Transfers]:
        """Largest first."""
        found = {kind: Transfers(len(sizes), sum(sizes)) for kind, sizes in self._bytes.items()}
        return dict(sorted(found.items(), key=lambda entry: -entry[1].bytes))
