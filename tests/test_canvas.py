"""The canvas's value and the sketch: round trip, and every input that must be refused in the one form."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.canvas import MAX_BYTES, PREFIX, decode_canvas, decode_mask, decode_picture, encode_canvas, encode_picture
from studio.canvastexts import SHORTCUTS, WORDS


def url_of(image: Image.Image, *, file_format: str = "PNG") -> str:
    buffer = io.BytesIO()
    image.save(buffer, format=file_format)
    return PREFIX + base64.b64encode(buffer.getvalue()).decode()


def line_sketch() -> np.ndarray:
    sketch = np.zeros((512, 384), np.float32)
    sketch[100:400, 190:194] = 1
    sketch[100, 40:340] = 0.5
    return sketch


def test_round_trip_keeps_every_grey_level():
    sketch = np.random.default_rng(0).random((512, 384), np.float32)
    back = decode_canvas(encode_canvas(sketch))
    assert back.dtype == np.float32 and back.shape == (512, 384)
    assert np.abs(back - sketch).max() <= 0.5 / 255 + 1e-6


def test_round_trip_of_a_decoded_sketch_is_exact():
    once = decode_canvas(encode_canvas(line_sketch()))
    assert np.array_equal(decode_canvas(encode_canvas(once)), once)


def test_dark_on_white_is_stroke_on_paper():
    image = Image.new("RGB", (384, 512), "white")
    image.paste("black", (10, 20, 30, 40))
    sketch = decode_canvas(url_of(image))
    assert sketch[25, 15] == 1 and sketch[0, 0] == 0
    assert sketch.sum() == 400


@pytest.mark.parametrize("value", [None, ""])
def test_untouched_canvas_is_an_empty_sketch(value):
    sketch = decode_canvas(value)
    assert sketch.shape == (512, 384) and sketch.dtype == np.float32 and not sketch.any()


def test_transparent_parts_are_paper():
    image = Image.new("RGBA", (384, 512), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (100, 100, 110, 110))
    assert decode_canvas(url_of(image)).sum() == 100


@pytest.mark.parametrize("size", [(768, 1024), (512, 512), (100, 700)])
def test_another_size_is_fitted_with_paper_around(size):
    image = Image.new("L", size, 255)
    image.paste(0, (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    sketch = decode_canvas(url_of(image))
    assert sketch.shape == (512, 384) and 0 <= sketch.min() and sketch.max() == 1
    assert sketch[256, 192] == 1 and not sketch[0].any() and not sketch[:, 0].any()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("hello", "PNG data URL"),
        ("data:image/jpeg;base64,AAAA", "PNG data URL"),
        ("https://example.org/sketch.png", "PNG data URL"),
        ({"path": "/etc/passwd"}, "opens with 'dict'"),
        (PREFIX + "not base64!", "base64"),
        (PREFIX + "AAA", "base64"),
        (PREFIX + "\u00e9\u00e9\u00e9\u00e9", "base64"),
        (PREFIX, "not a PNG"),
        (PREFIX + base64.b64encode(b"GIF89a" + bytes(60)).decode(), "not a PNG"),
        (url_of(Image.new("RGB", (384, 512)), file_format="JPEG"), "not a PNG"),
        (PREFIX + "A" * (MAX_BYTES * 4 // 3 + 8), "at most 4 MB"),
        (url_of(Image.new("L", (4, 4))), "at least 16 x 16"),
        (url_of(Image.new("1", (5000, 5000))), "megapixels"),
    ],
)
def test_bad_values_are_refused_in_one_form(value, says):
    with pytest.raises(ValueError, match="^canvas: ") as caught:
        decode_canvas(value)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.9])
def test_a_cut_png_is_refused(keep):
    data = base64.b64decode(encode_canvas(np.random.default_rng(1).random((512, 384), np.float32))[len(PREFIX) :])
    cut = PREFIX + base64.b64encode(data[: int(len(data) * keep)]).decode()
    with pytest.raises(ValueError, match="^canvas: "):
        decode_canvas(cut)


def test_a_damaged_png_is_refused():
    data = bytearray(base64.b64decode(encode_canvas(line_sketch())[len(PREFIX) :]))
    data[60:80] = bytes(20)
    with pytest.raises(ValueError, match="^canvas: "):
        decode_canvas(PREFIX + base64.b64encode(bytes(data)).decode())


@pytest.mark.parametrize(
    "sketch",
    [np.zeros((384, 512)), np.zeros((512, 384, 3)), np.full((512, 384), 255.0), np.full((512, 384), np.nan)],
)
def test_only_sketches_are_encoded(sketch):
    with pytest.raises(ValueError, match="^canvas: "):
        encode_canvas(sketch)


@pytest.mark.parametrize("value", [None, ""])
def test_no_mask_and_no_picture_are_none(value):
    assert decode_mask(value) is None and decode_picture(value) is None


def test_a_mask_is_white_where_to_repaint():
    image = Image.new("RGB", (384, 512), "black")
    image.paste("white", (10, 20, 30, 40))
    image.paste((120, 120, 120), (50, 20, 70, 40))  # a soft rim: nearer to black
    mask = decode_mask(url_of(image))
    assert mask.dtype == np.float32 and mask.shape == (512, 384) and set(np.unique(mask)) == {0.0, 1.0}
    assert mask[25, 15] == 1 and mask.sum() == 400


def test_a_picture_comes_back_to_the_last_bit():
    picture = np.random.default_rng(0).integers(0, 256, (512, 384, 3), np.uint8)
    assert np.array_equal(decode_picture(encode_picture(picture)), picture)


@pytest.mark.parametrize(("decode", "field"), [(decode_mask, "repaint area"), (decode_picture, "picture to repaint")])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("hello", "PNG data URL"),
        ({"path": "/etc/passwd"}, "opens with 'dict'"),
        (PREFIX + "not base64!", "base64"),
        (url_of(Image.new("RGB", (384, 512)), file_format="JPEG"), "not a PNG"),
        (url_of(Image.new("L", (512, 384), 255)), "512 x 384 pixels; give exactly 384 x 512"),
        (url_of(Image.new("L", (768, 1024), 255)), "give exactly 384 x 512"),  # not fitted: it must lie on the picture
        (encode_canvas(line_sketch())[:400], "repaint"),
    ],
)
def test_bad_masks_and_pictures_are_refused_in_one_form(decode, field, value, says):
    with pytest.raises(ValueError, match=f"^{field}: ") as caught:
        decode(value)
    assert says in str(caught.value) and len(str(caught.value)) < 300


def test_an_empty_mask_says_what_to_do():
    with pytest.raises(ValueError, match="^repaint area: nothing is marked. Paint over"):
        decode_mask(url_of(Image.new("L", (384, 512), 0)))


def test_every_place_of_the_template_has_its_words_and_no_word_is_left_over():
    static = Path(__file__).parents[1] / "studio" / "static"
    template = (static / "canvas.html").read_text(encoding="utf-8")
    scripts = "".join(path.read_text(encoding="utf-8") for path in static.glob("canvas*.js"))
    places = set(re.findall(r"\[\[(\w+)\]\]", template))
    others = {"storage_key", "slot", "words", "live_hidden", "shortcuts", "shortcuts_note"}
    assert places - others <= set(WORDS)
    said = set(re.findall(r"words\.(\w+)", scripts)) | {key for key in WORDS if f'"{key}"' in scripts}
    assert said <= set(WORDS) and set(WORDS) <= places | said


def test_words_hold_nothing_that_gradio_would_evaluate():
    for text in [*WORDS.values(), *(part for row in SHORTCUTS for part in row)]:
        assert not any(code in text for code in ("$", "`", "{", "\\", '"'))


@pytest.mark.parametrize("name", ["canvas.html", "canvas.css"])
def test_templates_hold_nothing_that_gradio_would_evaluate(name):
    text = (Path(__file__).parents[1] / "studio" / "static" / name).read_text(encoding="utf-8")
    for code in ("${", "`", "{{", "\\"):
        assert code not in text
