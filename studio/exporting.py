"""Designs out of the page as files, and a saved design back into it.

In: what the page shows, or an uploaded file. Out: passports, bytes with a file name, `OpenedFile`. Whatever a visitor
can get wrong becomes a `StudioError`. Knows nothing of gradio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from fashiondistill.config import GenerateConfig
from fashiondistill.data.weeks import Week
from fashiondistill.exports.archive import board_zip
from fashiondistill.exports.linesheet import linesheet_pdf
from fashiondistill.exports.passport import Passport, is_passport, read_passport
from fashiondistill.exports.svg import sketch_svg
from fashiondistill.exports.tables import scores_csv
from fashiondistill.images import read_image
from studio import errortexts, texts
from studio.callbacks import sketch_from_edge_map_file, sketch_from_photo_file
from studio.canvas import encode_canvas, encode_picture
from studio.checks import read_sketch
from studio.engine import DesignEngine
from studio.state import ResultsView, StudioError

Kind = Literal["zip", "pdf", "csv"]
PAPER_SHARE = 0.85  # of an edge map is paper; a garment on a plain ground leaves less
PAPER_TONES = 40  # grey levels within which a pixel is paper
COLOURLESS = 30  # grey levels by which the channels of a scan may differ


@dataclass(frozen=True)
class File:
    """Bytes with the name that a browser saves them under."""

    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """What an opened file puts on the page.

    Attributes:
        sketch: the canvas's value.
        message: what the status says.
        passport: the design, or None for an ordinary picture, of which only the lines are taken.
        week: key of the passport's week, or "" where the sales do not hold it.
        view: the design as the results column shows it.
        mask, base: where to repaint and what, PNG data URLs; "" where the whole design was drawn.
    """

    sketch: str
    message: str
    passport: Passport | None = None
    week: str = ""
    view: ResultsView | None = None
    mask: str = ""
    base: str = ""


def passports(view: ResultsView, *, model: str) -> tuple[Passport, ...]:
    """The designs that are shown, in their order."""
    return tuple(Passport(one, model, view.references) for one in view.designs)


def export(kind: Kind, designs: Sequence[Passport], *, title: str = "", name: str = "") -> File:
    """One file of all designs.

    Args:
        title: of the board; made of the week if it is "".
        name: opening of the file's name; made of the first design if it is "".

    Raises:
        StudioError: without designs.
    """
    if not designs:
        raise StudioError(texts.NO_DESIGNS)
    request = designs[0].request
    title = title or texts.sheet_title(Week.parse(request.week))
    name = name or f"{request.category}_{request.week}_seed{request.seed}"
    match kind:
        case "zip":
            return File(f"{name}.zip", board_zip(designs, title=title))
        case "pdf":
            return File(f"{name}_linesheet.pdf", linesheet_pdf(designs, title=title))
        case "csv":
            return File(f"{name}_scores.csv", scores_csv(designs))


def export_sketch(value: str | None, *, title: str) -> File:
    """The canvas's drawing as SVG.

    Raises:
        StudioError: for an empty or damaged canvas.
    """
    sketch = read_sketch(value)
    if not sketch.any():
        raise StudioError(texts.NO_SKETCH)
    return File("sketch.svg", sketch_svg(sketch, title=title).encode())


def open_file(engine: DesignEngine, upload: str | None) -> OpenedFile:
    """A saved design, or else an edge map or a photo of which the lines are taken.

    Raises:
        StudioError: for a file that is none of them.
    """
    if not upload:
        raise StudioError(errortexts.no_upload(texts.OPEN_DESIGN))
    data = Path(upload).read_bytes()
    if is_passport(data):
        return _opened(engine, data)
    try:
        image = np.asarray(read_image(data, field=texts.OPEN_DESIGN))
    except ValueError as error:
        raise StudioError(str(error)) from error
    if looks_drawn(image):
        return OpenedFile(sketch_from_edge_map_file(data), texts.EDGE_MAP_DONE)
    return OpenedFile(sketch_from_photo_file(data), texts.PHOTO_DONE)


def looks_drawn(image: np.ndarray) -> bool:
    """Whether uint8 [H, W, 3] is lines on paper of one tone, without colour, rather than a photo."""
    small = cv2.resize(image, (192, 256), interpolation=cv2.INTER_AREA).astype(np.int16)
    colour = np.percentile(small.max(axis=2) - small.min(axis=2), 98)
    grey = small.mean(axis=2)
    return bool(colour < COLOURLESS and (np.abs(grey - np.median(grey)) < PAPER_TONES).mean() > PAPER_SHARE)


def _opened(engine: DesignEngine, data: bytes) -> OpenedFile:
    try:
        found = read_passport(data)
    except ValueError as error:
        raise StudioError(f"{texts.OPEN_DESIGN}: {str(error).removeprefix('design file: ')}") from error
    request, notes = found.request, []
    known = Week.parse(request.week) in engine.weeks
    sold = engine.bestsellers(request.category, request.week) if known else ()
    if not known:
        notes.append(texts.week_not_sold(request.week))
    if found.model != engine.model_id:
        notes.append(texts.other_model(found.model, engine.model_id))
    page, used = GenerateConfig(), request.config
    if (page.clip_i_weight, page.clip_t_weight) != (used.clip_i_weight, used.clip_t_weight):
        notes.append(texts.other_weights(used.clip_i_weight, used.clip_t_weight))
    if request.mask is not None:
        notes.append(texts.MASK_BACK)
    names = tuple((item.article_id, texts.bestseller(item.rank, item.name)) for item in sold)
    view = ResultsView(
        "ranked", request=request, designs=(found.scored,), article_names=names, references=found.references
    )
    return OpenedFile(
        encode_canvas(request.sketch),
        texts.opened(f"{found.name}.png", notes),
        passport=found,
        week=request.week if known else "",
        view=view,
        mask="" if request.mask is None else encode_picture((request.mask * 255).round().astype(np.uint8)),
        base="" if request.image is None else encode_picture(request.image),
    )
