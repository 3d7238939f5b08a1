"""What people upload: pictures that are none, are damaged, too large or of odd kinds; and edge maps of both tones."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.drawings import draw_garment, template_sketch
from fashiondistill.images import (
    FORMATS,
    fit,
    from_model,
    read_image,
    read_product_picture,
    sketch_from_edge_map,
    to_model,
)


def encoded(image: Image.Image | np.ndarray, picture_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(buffer, format=picture_format, **options)
    return buffer.getvalue()


def header_only_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost no pixels: a decompression bomb of a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def garment() -> np.ndarray:
    return draw_garment("t-shirt", colours=("navy", "white"), pattern="striped", seed=1).image


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>",
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"PK\x03\x04" + bytes(100),
        bytes(4096),
    ],
)
def test_bytes_that_are_no_picture_name_field_and_remedy(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"^sketch: the upload is (not a picture|damaged).*(Give a PNG|Export it)"):
        read_image(junk, field="sketch")


def test_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^photo: there is no file .*none\.png.*Check the path"):
        read_image(tmp_path / "none.png", field="photo")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_image(tmp_path, field="photo")
    (tmp_path / "text.jpg").write_text("hello", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^photo: .*text\.jpg is not a picture"):
        read_image(tmp_path / "text.jpg", field="photo")


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_opens_and_its_cut_off_copy_does_not(garment: np.ndarray, picture_format: str) -> None:
    assert picture_format in FORMATS
    data = encoded(garment, picture_format)
    whole = read_image(data, field="photo")
    assert (whole.mode, whole.size) == ("RGB", (IMAGE_WIDTH, IMAGE_HEIGHT))
    assert np.abs(np.asarray(whole, int) - garment).mean() < 12  # GIF has 256 colours
    with pytest.raises(ValueError, match="^photo: the upload is .*(Export it again|Give a PNG)"):
        read_image(data[: len(data) // 2], field="photo")


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (20_000, 20_000), (100_000, 100_000), (4001, 4000)])
def test_bombs_are_refused_before_decoding(width: int, height: int) -> None:
    data = header_only_png(width, height)
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(ValueError, match=r"^sketch: the upload (is too large|has).*16 megapixels"):
        read_image(data, field="sketch")
    seconds = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 0.2 and peak < 5e6


def test_the_limit_itself_is_allowed_and_slivers_are_not() -> None:
    assert read_image(encoded(Image.new("1", (4000, 4000))), field="sketch").size == (4000, 4000)
    with pytest.raises(ValueError, match=r"only 400 x 15 pixels. Give at least 16 x 16"):
        read_image(encoded(np.zeros((15, 400), np.uint8)), field="sketch")


def test_transparent_parts_become_white() -> None:
    rgba = np.zeros((40, 30, 4), np.uint8)
    rgba[10:20, 10:20] = (200, 10, 20, 255)
    rgba[25:30, :] = (0, 0, 0, 128)
    for data in (encoded(rgba), encoded(rgba, "WEBP", lossless=True), encoded(rgba, "TIFF")):
        pixels = np.asarray(read_image(data, field="photo"))
        assert tuple(pixels[0, 0]) == (255, 255, 255)
        assert tuple(pixels[15, 15]) == (200, 10, 20)
        assert abs(int(pixels[27, 3, 0]) - 127) <= 1
    grey_alpha = encoded(Image.merge("LA", [Image.new("L", (20, 20), 0), Image.new("L", (20, 20), 0)]))
    assert np.asarray(read_image(grey_alpha, field="photo")).min() == 255
    palette = Image.fromarray(np.tile(np.arange(2, dtype=np.uint8), (20, 10)), "P")
    palette.putpalette([0, 0, 0, 10, 20, 30])
    pixels = np.asarray(read_image(encoded(palette, transparency=0), field="photo"))
    assert tuple(pixels[0, 0]) == (255, 255, 255) and tuple(pixels[0, 1]) == (10, 20, 30)


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(picture_format: str, orientation: int) -> None:
    upright = np.zeros((48, 32, 3), np.uint8)
    upright[:24, :16] = (255, 0, 0)  # the upper left quarter is red, the lower right one blue
    upright[24:, 16:] = (0, 0, 255)
    undo = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, 1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    options = {"quality": 95} if picture_format in ("JPEG", "WEBP") else {}
    shown = read_image(encoded(stored, picture_format, exif=exif, **options), field="photo")
    assert shown.size == (32, 48)
    assert np.abs(np.asarray(shown, int) - upright).mean() < 20


def test_damaged_exif_is_a_named_error_or_ignored(garment: np.ndarray) -> None:
    picture = Image.fromarray(garment).resize((48, 64))
    exif = picture.getexif()
    exif[0x0112], exif[0x010F], exif[0x0132] = 6, "maker" * 5, "2020:01:01 00:00:00"
    data = encoded(picture, "JPEG", exif=exif)
    generator = random.Random(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(1500):
            changed = bytearray(data)
            for _ in range(3):
                changed[generator.randrange(20, 160)] = generator.randrange(256)
            try:
                assert read_image(bytes(changed), field="photo").mode == "RGB"
            except ValueError as error:
                assert str(error).startswith("photo: the upload ")


def test_mutated_uploads_are_pictures_or_named_errors(garment: np.ndarray) -> None:
    small = Image.fromarray(garment).resize((72, 96))
    options = {"TIFF": {"compression": "tiff_deflate"}}
    originals = [encoded(small, name, **options.get(name, {})) for name in FORMATS]
    generator = random.Random(0)
    num_refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(240):
            data = bytearray(originals[number % len(originals)])
            for _ in range(generator.randint(1, 20)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            if number % 3 == 0:
                del data[generator.randrange(len(data)) :]
            began = time.perf_counter()
            try:
                assert read_image(bytes(data), field="sketch").mode == "RGB"
            except ValueError as error:
                assert str(error).startswith("sketch: the upload ") and str(error).endswith(".")
                num_refused += 1
            assert time.perf_counter() - began < 2
    assert num_refused > 80
    assert read_image(originals[0], field="sketch").size == (72, 96)


def test_grey_16_bit_and_bilevel_pictures_keep_their_tones() -> None:
    ramp = np.tile(np.linspace(0, 255, 64).round().astype(np.uint8), (32, 1))
    sixteen = ramp.astype(np.uint16) * 257
    for data in (encoded(ramp), encoded(sixteen), encoded(sixteen, "TIFF"), encoded(ramp, "WEBP", lossless=True)):
        pixels = np.asarray(read_image(data, field="sketch"), int)
        assert np.abs(pixels - ramp[..., None]).max() <= 1
    bilevel = np.asarray(read_image(encoded(Image.fromarray(ramp).convert("1", dither=0)), field="sketch"))
    assert set(np.unique(bilevel)) == {0, 255}
    cmyk = encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG")
    assert np.asarray(read_image(cmyk, field="photo"))[10, 10, 0] > 180


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_32_bit_pictures_are_refused(dtype: type) -> None:
    with pytest.raises(ValueError, match="sketch: the upload has 32 bits.*8 or 16 bits"):
        read_image(encoded(np.ones((32, 32), dtype), "TIFF"), field="sketch")


@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_fit_keeps_ratio_and_cuts_nothing(height: int, width: int, tone: int) -> None:
    ground = 255 - tone if tone != 127 else 0
    fitted = fit(np.full((height, width), tone, np.uint8), ground=ground)
    assert fitted.shape == (IMAGE_HEIGHT, IMAGE_WIDTH)
    rows, columns = np.flatnonzero((fitted == tone).any(1)), np.flatnonzero((fitted == tone).any(0))
    scale = min(IMAGE_HEIGHT / height, IMAGE_WIDTH / width)
    assert len(rows) == max(1, round(height * scale)) and len(columns) == max(1, round(width * scale))
    assert abs((rows[0] + rows[-1] + 1) / 2 - IMAGE_HEIGHT / 2) <= 0.5
    assert abs((columns[0] + columns[-1] + 1) / 2 - IMAGE_WIDTH / 2) <= 0.5


def test_product_pictures_stand_on_the_ground(tmp_path: Path) -> None:
    Image.new("RGB", (100, 100), (10, 20, 30)).save(tmp_path / "a.png")
    picture = read_product_picture(tmp_path / "a.png")
    assert picture.shape == (IMAGE_HEIGHT, IMAGE_WIDTH, 3)
    assert tuple(picture[0, 0]) == (GROUND,) * 3 and tuple(picture[256, 192]) == (10, 20, 30)
    with pytest.raises(FileNotFoundError, match="product picture: there is no file"):
        read_product_picture(tmp_path / "b.png")


def test_values_of_the_model_round_trip() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    pixels = to_model(every)
    assert pixels.shape == (3, 16, 16) and (pixels.min(), pixels.max()) == (-1, 1)
    assert np.array_equal(from_model(pixels), every)
    assert np.array_equal(from_model(to_model(every[None])), every[None])
    assert set(np.unique(from_model(np.float32([[[-9.0]], [[9.0]], [[0.0]]])))) == {0, 255, 128}


# Edge maps.


def lines_on_paper(seed: int, *, width: int, height: int, thickness: int) -> np.ndarray:
    """uint8 [height, width]: dark lines on white, some of them grey."""
    generator = np.random.default_rng(seed)
    page = np.full((height, width), 255, np.uint8)
    for _ in range(int(generator.integers(4, 12))):
        ends = generator.integers(0, (width, height), (2, 2))
        cv2.line(page, ends[0].tolist(), ends[1].tolist(), int(generator.integers(0, 90)), thickness, cv2.LINE_AA)
    return page


@given(st.integers(0, 10_000), st.integers(120, 900), st.integers(120, 900), st.integers(2, 6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_either_polarity_gives_the_same_sketch(
    seed: int, width: int, height: int, thickness: int, colour: bool
) -> None:
    page = lines_on_paper(seed, width=width, height=height, thickness=thickness)
    scanned, published = page, 255 - page
    if colour:
        scanned, published = (np.repeat(p[..., None], 3, axis=2) for p in (scanned, published))
    first, second = sketch_from_edge_map(scanned), sketch_from_edge_map(published)
    assert first.dtype == np.float32 and first.shape == (IMAGE_HEIGHT, IMAGE_WIDTH)
    assert first.min() >= 0 and first.max() <= 1
    assert np.abs(first - second).max() <= 3 / 255
    assert np.median(first) < 0.1 and first.max() > 0.8  # paper is 0, strokes are bright


def test_published_files_come_through_unchanged() -> None:
    sketch = template_sketch("top5gub")
    levels = (sketch * 255).round().astype(np.uint8)
    assert np.abs(sketch_from_edge_map(levels) - sketch).max() < 0.02
    assert np.abs(sketch_from_edge_map(255 - levels) - sketch).max() < 0.02


@pytest.mark.parametrize("scale", [2, 5])
def test_hairlines_of_a_large_scan_are_seen(scale: int) -> None:
    large = cv2.resize(template_sketch("top5gub"), None, fx=scale, fy=scale) > 0.5
    contours, _ = cv2.findContours(large.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    page = np.full(large.shape, 255, np.uint8)
    cv2.drawContours(page, contours, -1, 0, 1)
    sketch = sketch_from_edge_map(page)
    assert (sketch > 0.5).sum() > 800
    near_template = cv2.dilate(template_sketch("top5gub"), np.ones((7, 7))) > 0.5
    assert sketch[~near_template].max() < 0.1


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_blank_pages_hold_no_strokes(tone: int) -> None:
    noisy = np.clip(tone + np.random.default_rng(0).normal(0, 2, (300, 200)), 0, 255).astype(np.uint8)
    for page in (np.full((300, 200), tone, np.uint8), noisy):
        with pytest.raises(ValueError, match="edge map: .*one flat tone.*Give dark lines on white, or bright on black"):
            sketch_from_edge_map(page)
