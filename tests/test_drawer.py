"""What is taken from a garment behind a plot: its words, its lines, or an error that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.canvas import decode_canvas
from studio.drawer import Clicked, take
from studio.state import StudioError
from tests.fake_engine import FakeEngine

CLICKED = Clicked("top5gub", "colour", "2020-W10", "navy")


def test_words_or_lines_are_taken(tmp_path: Path):
    engine = FakeEngine(tmp_path)
    item = engine.bestsellers("top5gub", "2020-W10")[3]
    words = take(engine, CLICKED, item.article_id, "prompt")
    assert (words.prompt, words.sketch) == (item.caption, "")
    lines = take(engine, CLICKED, item.article_id, "trace")
    drawn, outline = decode_canvas(lines.sketch), engine.template("top5gub")
    assert lines.prompt == "" and drawn.any()
    rows, columns = np.nonzero(outline)
    found = np.nonzero(drawn > 0.5)
    assert abs(found[0].min() - rows.min()) < 12 and abs(found[1].max() - columns.max()) < 12  # at its place


def test_what_cannot_be_taken_is_said(tmp_path: Path):
    engine = FakeEngine(tmp_path)
    item = engine.bestsellers("top5gub", "2020-W10")[0]
    for clicked, article, how in (
        (None, item.article_id, "trace"),
        (CLICKED, "0", "trace"),
        (CLICKED, item.article_id, "x"),
    ):
        with pytest.raises(StudioError, match="is not among those shown"):
            take(engine, clicked, article, how)
    white = engine.bestsellers("top5gub", "2020-W10")[2]
    with pytest.raises(StudioError, match="no garment stands out"):  # white on the studio's light ground
        take(engine, CLICKED, white.article_id, "trace")
    engine.write_pictures = False
    item.image.unlink()
    with pytest.raises(StudioError, match="has no picture to trace"):
        take(engine, CLICKED, item.article_id, "trace")
    item.image.write_bytes(b"no picture")
    with pytest.raises(StudioError, match="[Pp]icture|image"):
        take(engine, CLICKED, item.article_id, "trace")
