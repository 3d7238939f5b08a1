"""Designs out of the page and a saved one back in: plain functions over the fake engine."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.config import StudioConfig
from fashiondistill.data.drawings import template_sketch
from fashiondistill.exports.passport import Passport, read_passport
from studio import callbacks
from studio.canvas import decode_canvas, decode_mask, decode_picture, encode_canvas
from studio.exporting import export, export_sketch, looks_drawn, open_file, passports
from studio.state import GenerateInputs, StudioError
from tests.fake_engine import FakeEngine
from tests.passports import passport

TITLE = "Designs for Week 10, 2020 (2\u20138 Mar)"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> FakeEngine:
    return FakeEngine(tmp_path_factory.mktemp("pictures"), config=StudioConfig(port=0))


@pytest.fixture(scope="module")
def designs(engine: FakeEngine) -> tuple[Passport, ...]:
    sketch = encode_canvas(engine.template("top5gub"))
    inputs = GenerateInputs("top5gub", "2020-W10", "navy shirt", sketch, 3, 2, 2.5, 0.5, 7)
    *_, last = callbacks.run(engine, inputs)
    return passports(last, model=engine.model_id)


def saved(folder: Path, one: Passport) -> str:
    path = folder / "design.png"
    path.write_bytes(one.png())
    return str(path)


def test_what_is_shown_is_what_is_exported(designs, engine) -> None:
    assert [one.scored.rank for one in designs] == [1, 2, 3] and designs[0].model == engine.model_id
    sold = engine.bestsellers("top5gub", "2020-W10")
    assert designs[0].references == tuple(item.article_id for item in sold)
    archive = export("zip", designs)
    assert archive.name == "top5gub_2020-W10_seed7.zip"
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        assert len([name for name in opened.namelist() if name.startswith("designs/")]) == 3
        assert TITLE.encode("ascii", "backslashreplace") in opened.read("board.json")
    assert export("pdf", designs).data.startswith(b"%PDF")
    assert export("csv", designs).data.count(b"\r\n") == 4
    with pytest.raises(StudioError, match="^Export: there are no designs yet. Press Generate first"):
        export("pdf", ())


def test_the_sketch_on_the_canvas_is_exported_as_svg() -> None:
    file = export_sketch(encode_canvas(template_sketch("top5gub")), title="<b>")
    assert file.name == "sketch.svg" and b"<title>&lt;b&gt;</title>" in file.data
    for empty in (None, "", encode_canvas(np.zeros((512, 384)))):
        with pytest.raises(StudioError, match="the canvas is empty"):
            export_sketch(empty, title="")


def test_a_card_s_png_opens_again_with_everything(designs, engine, tmp_path) -> None:
    one = designs[1]
    opened = open_file(engine, saved(tmp_path, one))
    assert opened.passport is not None and opened.passport.describe() == one.describe()
    assert np.array_equal(decode_canvas(opened.sketch), one.request.sketch) and opened.week == "2020-W10"
    assert opened.message == (
        "Opened top5gub_2020-W10_seed7_rank2.png: category, week, words, sketch, settings and seed are back; "
        "the seed is kept."
    )
    assert opened.view is not None and np.array_equal(opened.view.designs[0].design.image, one.image)
    assert opened.mask == opened.base == ""  # which clears what lies on the canvas


def test_what_cannot_come_back_is_said(engine, tmp_path) -> None:
    other = passport(repaint=True)
    opened = open_file(engine, saved(tmp_path, other))
    assert "drawn by another model (tiny-0123456789ab); fake-0 will draw something else" in opened.message
    assert "with its repaint area marked" in opened.message
    assert np.array_equal(decode_mask(opened.mask), other.request.mask) and other.request.mask.any()
    assert np.array_equal(decode_picture(opened.base), other.request.image)
    engine.weeks, weeks = engine.weeks[:3], engine.weeks
    try:
        opened = open_file(engine, saved(tmp_path, other))
    finally:
        engine.weeks = weeks
    assert opened.week == "" and "nothing of its week 2020-W10, so the week was left" in opened.message


def test_damaged_designs_are_refused_in_words(engine, tmp_path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(passport().png()[:-3000])
    with pytest.raises(StudioError, match="^Open a design: the file is no PNG, or damaged"):
        open_file(engine, str(path))
    path.write_bytes(b"hello")
    with pytest.raises(StudioError, match="^Open a design: the upload is not a picture that can be read"):
        open_file(engine, str(path))
    with pytest.raises(StudioError, match="no file arrived"):
        open_file(engine, None)


def test_other_pictures_give_their_lines(engine, tmp_path) -> None:
    sketch = template_sketch("top5gub")
    drawing, photo = tmp_path / "lines.png", tmp_path / "photo.png"
    Image.fromarray((sketch * 255).astype(np.uint8)).save(drawing)
    opened = open_file(engine, str(drawing))
    assert opened.passport is None and opened.message.startswith("Edge map placed")
    assert np.abs(decode_canvas(opened.sketch) - sketch).mean() < 0.01
    engine.bestsellers("top5gub", "2020-W10")
    cloth = engine._garment("top5gub", (60, 60, 60))
    Image.fromarray(cloth).save(photo)
    assert open_file(engine, str(photo)).message.startswith("Lines of the photo placed")
    assert looks_drawn(np.repeat((255 - sketch * 255).astype(np.uint8)[..., None], 3, axis=2))
    assert not looks_drawn(cloth)


def test_a_passport_of_the_page_draws_the_same_again(designs, engine) -> None:
    back = read_passport(designs[0].png()).request
    inputs = GenerateInputs(
        back.category, back.week, back.prompt, encode_canvas(back.sketch), back.config.num_candidates,
        back.config.num_inference_steps, back.config.guidance_scale, back.config.sketch_influence, back.seed,
    )  # fmt: skip
    *_, last = callbacks.run(engine, inputs)
    for one, again in zip(designs, last.designs, strict=True):
        assert np.array_equal(one.image, again.design.image)
