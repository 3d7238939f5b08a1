"""The design passport: it brings back everything, and files that only claim to be one are refused in words."""

from __future__ import annotations

import base64
import io
import json
import random
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from fashiondistill.export import CHUNK
from fashiondistill.exports.passport import MAX_FILE, Passport, is_passport, read_passport
from tests.passports import MODEL, REFERENCES, passport


def texts(data: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(data)) as image:
        return {key: value for key, value in image.info.items() if isinstance(value, str)}


def png(text: dict[str, str], *, size: tuple[int, int] = (384, 512), mode: str = "RGB") -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        info.add_text(key, value, zip=key != CHUNK)
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def changed(one: Passport, **values: object) -> bytes:
    """The passport with other values in its JSON; None takes one out."""
    text = texts(one.png())
    facts = json.loads(text[CHUNK]) | values
    return png(text | {CHUNK: json.dumps({key: value for key, value in facts.items() if value is not None})})


def plain_png(size: tuple[int, int], mode: str = "L") -> str:
    return base64.b64encode(png({}, size=size, mode=mode)).decode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize("repaint", [False, True], ids=["whole", "repainted"])
def test_everything_comes_back(repaint: bool) -> None:
    one = passport(3, repaint=repaint, seed=2**32 - 1, notes="shorter\nsleeves")
    data = one.png()
    back = read_passport(data)
    assert is_passport(data)
    assert np.array_equal(back.image, one.image) and back.image.dtype == np.uint8
    for name in ("sketch", "mask", "image"):  # the same bits, or the seed would not give the same picture
        was, found = getattr(one.request, name), getattr(back.request, name)
        assert (was is None and found is None) or (np.array_equal(was, found) and was.dtype == found.dtype)
    for name in ("category", "week", "prompt", "seed", "config"):
        assert getattr(back.request, name) == getattr(one.request, name)
    assert back.describe() == one.describe()
    assert (back.model, back.references, back.notes) == (MODEL, REFERENCES, "shorter\nsleeves")
    assert back.scored.clip_i == pytest.approx(one.scored.clip_i, abs=5e-5)
    assert back.name == one.name == "top5gub_2020-W10_seed4294967295_rank3"
    assert back.png() == data


def test_the_sketch_adds_little() -> None:
    for category in ("top5gub", "top5gfb", "top5acc"):
        text = texts(passport(category=category).png())
        assert len(zlib.compress(text[f"{CHUNK}-sketch"].encode())) < 15_000


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"version": 2}, "has version 2, this studio reads version 1. Update"),
        ({"version": None}, "saved by an earlier studio that did not keep the sketch"),
        ({"seed": None}, "seed is missing"),
        ({"seed": 2**32}, "seed is 4294967296, not a whole number from 0 to 4294967295"),
        ({"seed": 1.5}, "seed is 1.5, not a whole number"),
        ({"seed": True}, "seed is True, not a whole number"),
        ({"clip_i": 1.2}, "clip_i is 1.2, not a number from -1 to 1"),
        ({"clip_t": float("nan")}, "clip_t is nan, not a number"),
        ({"combined": "0.5"}, "combined is '0.5', not a number"),
        ({"rank": 9}, "rank is 9, not a whole number from 0 to 8"),
        ({"candidate": -1}, "candidate is -1, not a whole number from 0 to 7"),
        ({"category": "top5hat"}, "top5hat"),
        ({"week": "2020-W60"}, "week 2020-W60 does not exist"),
        ({"prompt": "  "}, "prompt is empty"),
        ({"prompt": "x" * 4001}, "not a text of at most 4000 characters"),
        ({"prompt": "\ud800"}, "not a text of whole characters"),
        ({"references": ["1", 2]}, r"references\[1\] is 2, not a text"),
        ({"references": ["1"] * 101}, "a list of at most 100 texts"),
        ({"settings": []}, "settings is no JSON object"),
        ({"settings": {}}, "settings.num_candidates is missing"),
        ({"model": ["m"]}, "model is"),
        ({"notes": {}}, "notes is"),
    ],
    ids=str,
)
def test_values_out_of_range_are_named(values: dict, says: str) -> None:
    with pytest.raises(ValueError, match=f"^design file: .*{says}"):
        read_passport(changed(passport(), **values))


def test_settings_of_another_studio_are_refused() -> None:
    settings = passport().describe()["settings"]
    with pytest.raises(ValueError, match="settings.'lora' is unknown to version 1"):
        read_passport(changed(passport(), settings=settings | {"lora": 1}))
    with pytest.raises(ValueError, match="num_inference_steps 0 is not usable: choose 1 to 100"):
        read_passport(changed(passport(), settings=settings | {"num_inference_steps": 0}))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is no PNG, or damaged"),
        (b"GIF89a", "the file is no PNG, or damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "the file is no PNG, or damaged"),
        (b"\x89PNG\r\n\x1a\n" * 600_000, "it has 4.8 MB, at most 4.2 are read"),
        (png({}), "it is a PNG without the studio's text"),
        (png({}, size=(9000, 9000), mode="1"), "the file has 9000 x 9000 pixels in mode 1, not 384 x 512 in RGB"),
        (png({}, size=(20_000, 20_000), mode="1"), "the file is too large"),
        (png({CHUNK: "[1]"}), "its text is no JSON object"),
        (png({CHUNK: "{"}), "its text is damaged"),
        (png({CHUNK: "[" * 60_000}), "its text is damaged"),
        (png({CHUNK: "1" * 70_000}), "its text has 70,000 characters, at most 65,536"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_foreign_and_hostile_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=f"^design file: {says}"):
        read_passport(data)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("sketch", "%%%", "its sketch is damaged"),
        ("sketch", base64.b64encode(b"GIF89a").decode(), "its sketch is no PNG, or damaged"),
        ("sketch", plain_png((10_000, 10_000)), "its sketch has 10000 x 10000 pixels in mode L, not 384 x 512"),
        ("sketch", plain_png((384, 512), "RGB"), "its sketch has 384 x 512 pixels in mode RGB, not 384 x 512 in L"),
        ("sketch", plain_png((384, 512)), "sketch is empty"),
        ("mask", plain_png((384, 512)), "mask is given without an image"),
        ("image", plain_png((384, 512)), "its image has 384 x 512 pixels in mode L"),
    ],
)
def test_embedded_pictures_are_not_trusted(name: str, text: str, says: str) -> None:
    data = png(texts(passport().png()) | {f"{CHUNK}-{name}": text})
    with pytest.raises(ValueError, match=f"^design file: {says}"):
        read_passport(data)


def test_a_text_that_unpacks_without_end_is_stopped() -> None:
    data = passport().png()
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"A" * 10**6) for _ in range(100)) + packer.flush()
    assert len(bomb) < MAX_FILE / 2
    hostile = data[:33] + chunk(b"zTXt", f"{CHUNK}-sketch".encode() + b"\0\0" + bomb) + data[33:]
    with pytest.raises(ValueError, match="^design file: the file is no PNG, or damaged .*too large"):
        read_passport(hostile)


def test_a_passport_without_its_sketch_is_refused() -> None:
    text = texts(passport().png())
    with pytest.raises(ValueError, match="^design file: its sketch is missing"):
        read_passport(png({CHUNK: text[CHUNK]}))


def test_damage_anywhere_is_an_error_in_words_or_harmless() -> None:
    """Cut or flipped bytes: a ValueError of ours, or (in what no checksum covers) a passport; nothing else."""
    data, draw = passport().png(), random.Random(0)
    refused = 0
    for _ in range(120):
        broken = bytearray(data)
        if draw.random() < 0.4:
            del broken[draw.randrange(8, len(broken)) :]
        for _ in range(draw.randrange(1, 4)):
            broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
        try:
            read_passport(bytes(broken))
        except ValueError as error:
            assert str(error).startswith("design file: "), error
            refused += 1
    assert refused > 100


def test_ordinary_pictures_are_no_passports() -> None:
    assert not is_passport(png({})) and not is_passport(b"") and not is_passport(b"\xff\xd8\xff fashiondistill")
