"""Files that leave the studio: they open elsewhere and say what made them."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.config import GROUND, GenerateConfig
from fashiondistill.data.drawings import template_sketch
from fashiondistill.design import Design, ScoredDesign
from fashiondistill.export import (
    CHUNK,
    GAP,
    LABEL_HEIGHT,
    contact_sheet,
    describe,
    png_bytes,
    read_png_metadata,
    write_png,
    write_ranking,
)
from tests import tiny

PROMPT = 'robe d\'été, "à pois" \N{DRESS}'


def ranked(count: int = 3) -> list[ScoredDesign]:
    request = tiny.request(prompt=PROMPT, seed=2**32 - 1, config=GenerateConfig(num_candidates=8, guidance_scale=2.5))
    colours = ("red", "navy", "green", "black", "white", "yellow", "purple", "beige")
    return [
        ScoredDesign(
            Design(tiny.picture(seed=n, colours=(colours[n],)), count - 1 - n, request),
            clip_i=0.7 - n / 30,
            clip_t=1 / 3,
            combined=0.55 - n / 50,
            nearest_article_id=f"01{n:08d}",
            rank=n + 1,
        )
        for n in range(count)
    ]


def test_png_keeps_pixels_and_everything_that_made_them(tmp_path: Path) -> None:
    one, path = ranked()[1], tmp_path / "design.png"
    write_png(path, one, model="tiny-0123456789ab")
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (384, 512))
        assert np.array_equal(np.asarray(image), one.design.image)
    found = read_png_metadata(path)
    assert found == describe(one, model="tiny-0123456789ab")
    assert found == {
        "version": 1,
        "rank": 2,
        "clip_i": round(one.clip_i, 4),
        "clip_t": 0.3333,
        "combined": 0.53,
        "nearest_article_id": "0100000001",
        "references": [],
        "candidate": 1,
        "seed": 2**32 - 1,
        "category": tiny.CATEGORY,
        "week": tiny.WEEK,
        "prompt": PROMPT,
        "model": "tiny-0123456789ab",
        "settings": dataclasses.asdict(one.design.request.config),
        "notes": "",
    }
    assert GenerateConfig(**found["settings"]) == one.design.request.config  # enough to draw it again
    assert path.read_bytes() == png_bytes(one, model="tiny-0123456789ab")


def test_pictures_of_others_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    with pytest.raises(ValueError, match=rf"plain.png holds no {CHUNK} text: it was not saved by this studio"):
        read_png_metadata(tmp_path / "plain.png")
    for name, data in (("a.jpg", None), ("b.png", b"no picture"), ("c.png", b"")):
        if data is None:
            Image.new("RGB", (4, 4)).save(tmp_path / name)
        else:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=f"{name} is no PNG: give a file that this studio saved"):
            read_png_metadata(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_png_metadata(tmp_path / "none.png")


def test_re_encoding_drops_the_text_and_is_noticed(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(png_bytes(ranked()[0], model="m"))) as image:
        Image.fromarray(np.asarray(image)).save(tmp_path / "again.png")
    with pytest.raises(ValueError, match="re-encoded"):
        read_png_metadata(tmp_path / "again.png")


def test_ranking_is_plain_json_best_first(tmp_path: Path) -> None:
    designs = ranked()
    write_ranking(tmp_path / "ranking.json", designs, model="m")
    text = (tmp_path / "ranking.json").read_text(encoding="utf-8")
    rows = json.loads(text)
    assert [row["rank"] for row in rows] == [1, 2, 3] and text.endswith("\n") and text.isascii()
    assert rows == [describe(one, model="m") for one in designs]


@pytest.mark.parametrize("count", [1, 8])
def test_contact_sheet_holds_the_sketch_and_every_design(tmp_path: Path, count: int) -> None:
    sketch, designs = template_sketch(tiny.CATEGORY), ranked(count)
    sheet = contact_sheet(sketch, designs)
    assert sheet.size == ((count + 1) * (384 + GAP) + GAP, 512 + LABEL_HEIGHT + 2 * GAP)
    sheet.save(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image)
    columns = [GAP + n * (384 + GAP) for n in range(count + 1)]
    paper = pixels[GAP : GAP + 512, columns[0] : columns[0] + 384]
    assert np.array_equal(paper[..., 0], (255 - sketch * 255).round().astype(np.uint8))
    for one, left in zip(designs, columns[1:], strict=True):
        assert np.array_equal(pixels[GAP : GAP + 512, left : left + 384], one.design.image)
        label = pixels[GAP + 512 : GAP + 512 + LABEL_HEIGHT, left : left + 384]
        assert 100 < (label.min(axis=2) < 120).sum() < 5000  # dark letters on the ground
        assert (label[:, -1] == GROUND).all()  # no letter runs into the next picture
