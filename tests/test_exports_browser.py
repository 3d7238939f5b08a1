"""Export and drop back, in the browser: what a designer saves is what comes back."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fashiondistill.exports.passport import read_passport
from tests.passports import passport
from tests.studio_page import Studio, until

pytestmark = pytest.mark.browser

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type: "image/png" }));
  const target = document.querySelector("#sketch-canvas canvas");
  for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def studio(url, browser):
    page = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True).new_page()
    studio = Studio(page, url).open()
    yield studio
    page.context.close()
    assert studio.errors == [] and studio.foreign == []


def saved(studio: Studio, button: str) -> tuple[str, bytes]:
    with studio.page.expect_download() as download:
        studio.page.locator(f"#export-{button}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_designs_leave_the_page_and_come_back_by_a_drop(studio):
    studio.page.locator("#export-pdf").click()
    studio.status("failed", "there are no designs yet")
    studio.page.locator("#prompt textarea").fill("olive checked shirt")
    studio.generate()
    studio.status("ranked")
    name, data = saved(studio, "zip")
    assert name.startswith("top5gub_2020-W27_seed") and name.endswith(".zip")
    studio.status("idle", f"Saved as {name}")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        board = json.loads(archive.read("board.json"))["designs"]
        design = archive.read(board[1]["file"])
    assert saved(studio, "pdf")[1].startswith(b"%PDF") and saved(studio, "csv")[1].startswith(b"\xef\xbb\xbf")
    assert saved(studio, "svg")[1].startswith(b"<?xml")
    studio.shot("exports")

    # Another category and week, an empty canvas: then the design is dropped on the canvas.
    studio.choose("category", "Full body")
    studio.choose("week", "Week 10, 2020")
    until(
        lambda: (
            "week 10" in studio.page.locator("#headline").inner_text().lower() or "2020-W10" in studio.page.content()
        )
    )
    studio.page.locator('#sketch-canvas button[data-action="clear"]').click()
    studio.page.evaluate(DROP, ["design.png", base64.b64encode(design).decode()])
    words = studio.status("idle", "Opened top5gub_2020-W27_seed")
    assert "seed are back" in words and "another model" not in words
    was = read_passport(design)
    until(lambda: studio.page.locator("#category input").input_value() == "Upper body")
    until(lambda: studio.page.locator("#week input").input_value().startswith("Week 27, 2020"))
    until(lambda: np.abs(studio.paper() - was.request.sketch).max() < 0.01)
    studio.page.wait_for_timeout(800)  # what follows category and week has had its say
    assert studio.page.locator("#prompt textarea").input_value() == "olive checked shirt"
    assert np.abs(studio.paper() - was.request.sketch).max() < 0.01
    assert studio.page.locator("#results .design-card").count() == 1
    studio.page.locator("#results .fd-heart").click()
    studio.shot("dropped-back")

    studio.generate()
    studio.status("ranked", f"Seed {was.request.seed}.")
    again = [one for _, one in sorted(_designs(saved(studio, "zip")[1]).items())]
    assert any(np.array_equal(read_passport(one).image, was.image) for one in again)


def test_a_repainted_design_comes_back_with_its_area_and_is_kept(studio, engine):
    given = passport(repaint=True)
    studio.choose("category", "Full body")
    data = base64.b64encode(given.png()).decode()
    studio.page.evaluate(DROP, ["design.png", data])
    studio.status("idle", "with its repaint area marked")

    studio.page.wait_for_timeout(800)  # what follows the category has had its say
    assert np.abs(studio.paper() - given.request.sketch).max() < 0.01
    heart = studio.page.locator("#results .fd-heart")
    with studio.answered():
        heart.click()
    studio.shot("dropped-repaint")
    with studio.answered():
        studio.generate()
    assert np.array_equal(engine.requests[-1].mask, given.request.mask)
    assert np.array_equal(engine.requests[-1].image, given.request.image)
    studio.open()
    studio.page.evaluate(DROP, ["design.png", data])
    until(lambda: heart.count() == 1)
    assert heart.get_attribute("aria-pressed") == "true"  # it is the same design, not a second one


def _designs(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".png")}


def test_a_dropped_drawing_becomes_the_sketch_and_rubbish_is_refused(studio):
    from PIL import Image

    from fashiondistill.data.drawings import template_sketch

    sketch = template_sketch("top5glb")
    buffer = io.BytesIO()
    Image.fromarray((255 - sketch * 255).astype(np.uint8)).save(buffer, format="PNG")
    studio.page.evaluate(DROP, ["lines.png", base64.b64encode(buffer.getvalue()).decode()])
    studio.status("idle", "Edge map placed")
    until(lambda: np.abs(studio.paper() - sketch).mean() < 0.01)
    studio.upload("open-design", "x.png", b"no picture")
    studio.status("failed", "Open a design: the upload is not a picture")
    assert np.abs(studio.paper() - sketch).mean() < 0.01
