"""The design passport: one PNG that brings back everything that made the design and how it was judged.

In: bytes of a PNG that `export.png_bytes` wrote, or anything that claims to be one. Out: a `Passport`. The bytes are
treated as hostile: they may come from anybody's mail. What is read is what the file says; nothing in it is signed.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
import zlib
from dataclasses import dataclass, fields

import numpy as np
from PIL import Image

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH, GenerateConfig
from fashiondistill.data.categories import get_category
from fashiondistill.data.weeks import Week
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.export import CHUNK, VERSION, describe, png_bytes
from fashiondistill.exports.fields import REMEDY, Fields

MAX_FILE = 4 * 1024 * 1024  # bytes; noise in picture, sketch, mask and repainted picture together stays below 2 MB
MAX_TEXT = 64 * 1024  # characters of JSON; 20 kB are the most that the fields below can fill with plain words
MAX_PICTURE = 1024 * 1024  # bytes of an embedded PNG; 384 x 512 pixels of coloured noise take 0.6 MB
MAX_WORDS = 4000  # characters of a prompt or a note
MAX_ID = 200  # characters of a model's or an article's id
MAX_REFERENCES = 100
SETTINGS = tuple(field.name for field in fields(GenerateConfig))


@dataclass(frozen=True, eq=False)
class Passport:
    """A design with its request, its scores and its origin.

    Attributes:
        scored: picture, request (category, week, prompt, sketch, mask, seed, settings) and every term of the rank.
        model: id of the model that drew it; it holds the hash of the weights.
        references: ids of the articles that CLIP-I compared with; empty where they were not kept.
        notes: what the designer wrote about it.
    """

    scored: ScoredDesign
    model: str
    references: tuple[str, ...] = ()
    notes: str = ""

    @property
    def request(self) -> DesignRequest:
        """What was asked for."""
        return self.scored.design.request

    @property
    def image(self) -> np.ndarray:
        """The picture, uint8 [512, 384, 3]."""
        return self.scored.design.image

    @property
    def name(self) -> str:
        """File name without ending: says what it is and sorts by rank, or by arrival where nothing was ranked."""
        place = f"rank{self.scored.rank}" if self.scored.rank else f"candidate{self.scored.design.index + 1}"
        return f"{self.request.category}_{self.request.week}_seed{self.request.seed}_{place}"

    def describe(self) -> dict:
        """All but the pictures, as plain JSON values."""
        return describe(self.scored, model=self.model, references=self.references, notes=self.notes)

    def png(self) -> bytes:
        """The file that `read_passport` reads."""
        return png_bytes(self.scored, model=self.model, references=self.references, notes=self.notes)


def is_passport(data: bytes) -> bool:
    """Whether a file claims to be a passport: a PNG of at most `MAX_FILE` whose text names the studio."""
    return len(data) <= MAX_FILE and data.startswith(b"\x89PNG\r\n\x1a\n") and f"tEXt{CHUNK}\0".encode() in data


def read_passport(data: bytes) -> Passport:
    """Restore everything from the bytes of a PNG that this studio saved.

    Raises:
        ValueError: opening with "design file: ", for a file that is foreign, damaged, too large, of another version, or
            holds a value out of range.
    """
    if len(data) > MAX_FILE:
        raise ValueError(
            f"design file: it has {len(data) / 1e6:.1f} MB, at most {MAX_FILE / 1e6:.1f} are read. {REMEDY}"
        )
    picture, text = _open_png(data, "the file", mode="RGB")
    if CHUNK not in text:
        raise ValueError(
            f"design file: it is a PNG without the studio's text: saved elsewhere, or re-encoded since. {REMEDY}"
        )
    values = Fields.parse(text[CHUNK], limit=MAX_TEXT)
    _check_version(values)
    request = _request(values, text)
    index = values.whole("candidate", low=0, high=request.config.num_candidates - 1)
    scored = ScoredDesign(
        Design(picture, index, request),
        clip_i=values.number("clip_i", low=-1, high=1),
        clip_t=values.number("clip_t", low=-1, high=1),
        combined=values.number("combined", low=-2, high=2),
        nearest_article_id=values.text("nearest_article_id", longest=MAX_ID),
        rank=values.whole("rank", low=0, high=request.config.num_candidates),
    )
    return Passport(
        scored,
        model=values.text("model", longest=MAX_ID),
        references=values.texts("references", longest=MAX_ID, most=MAX_REFERENCES),
        notes=values.text("notes", longest=MAX_WORDS),
    )


def _check_version(values: Fields) -> None:
    if "version" not in values.names():
        raise ValueError(
            "design file: it was saved by an earlier studio that did not keep the sketch, so it cannot be restored. "
            "Its prompt, seed and settings can still be read with fashiondistill.export.read_png_metadata."
        )
    version = values.whole("version", low=0, high=10**6)
    if version != VERSION:
        raise ValueError(
            f"design file: it has version {version}, this studio reads version {VERSION}. Update the studio."
        )


def _request(values: Fields, text: dict[str, str]) -> DesignRequest:
    settings = values.inner("settings")
    unknown = settings.names() - set(SETTINGS)
    if unknown:
        raise ValueError(f"design file: settings.{min(unknown)[:40]!r} is unknown to version {VERSION}. {REMEDY}")
    numbers = {
        name: settings.whole(name, low=0, high=1000)
        if name.startswith("num_")
        else settings.number(name, low=0, high=100)
        for name in SETTINGS
    }
    sketch = _embedded(text, "sketch", mode="L")
    mask, image = _embedded(text, "mask", mode="L"), _embedded(text, "image", mode="RGB")
    if sketch is None:
        raise ValueError(f"design file: its sketch is missing. {REMEDY}")
    try:
        return DesignRequest(
            get_category(values.text("category", longest=MAX_ID)).folder,
            Week.parse(values.text("week", longest=MAX_ID)).key,
            values.text("prompt", longest=MAX_WORDS),
            sketch.astype(np.float32) / 255,
            image=image,
            mask=None if mask is None else mask.astype(np.float32) / 255,
            seed=values.whole("seed", low=0, high=2**32 - 1),
            config=GenerateConfig(**numbers),
        )
    except ValueError as error:
        message = str(error)
        raise error if message.startswith("design file") else ValueError(f"design file: {message}") from error


def _embedded(text: dict[str, str], name: str, *, mode: str) -> np.ndarray | None:
    encoded = text.get(f"{CHUNK}-{name}")
    if encoded is None:
        return None
    if len(encoded) > MAX_PICTURE * 4 // 3 + 4:
        raise ValueError(f"design file: its {name} is larger than {MAX_PICTURE / 1e6:.1f} MB. {REMEDY}")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"design file: its {name} is damaged ({error}). {REMEDY}") from error
    return _open_png(data, f"its {name}", mode=mode)[0]


def _open_png(data: bytes, what: str, *, mode: str) -> tuple[np.ndarray, dict[str, str]]:
    """Pixels and texts of a PNG of the one size and mode that the studio writes; nothing else is decoded.

    Pillow stops a text that unpacks to more than 1 MB, and 64 MB of texts in all.
    """
    size = (IMAGE_WIDTH, IMAGE_HEIGHT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked below
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.size != size or image.mode != mode:
            raise ValueError(
                f"design file: {what} has {image.size[0]} x {image.size[1]} pixels in mode {image.mode}, "
                f"not {size[0]} x {size[1]} in {mode}. {REMEDY}"
            )
        image.load()
    except Image.DecompressionBombError as error:
        raise ValueError(f"design file: {what} is too large ({error}). {REMEDY}") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        if str(error).startswith("design file"):
            raise
        raise ValueError(f"design file: {what} is no PNG, or damaged ({str(error)[:80]}). {REMEDY}") from error
    return np.asarray(image), {key: value for key, value in image.info.items() if isinstance(value, str)}
