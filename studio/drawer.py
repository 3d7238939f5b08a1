"""What a designer takes from a garment behind a plot: its words, or its lines.

In: what was clicked last, and an article of it. Out: `Taken`. Knows nothing of gradio.
"""

from __future__ import annotations

from dataclasses import dataclass

from fashiondistill.data.photos import lines_from_photo
from fashiondistill.images import read_product_picture
from studio import drawertexts, errortexts
from studio.canvas import encode_canvas
from studio.engine import DesignEngine
from studio.state import StudioError


@dataclass(frozen=True)
class Clicked:
    """A point of a plot whose garments are shown; word "" = all of the category."""

    category: str
    attribute: str
    week: str
    word: str


@dataclass(frozen=True)
class Taken:
    """What goes onto the page; "" = stays as it is.

    Attributes:
        prompt: the garment's words, as captions of training have them.
        sketch: the canvas's value.
        message: what the status says.
    """

    prompt: str
    sketch: str
    message: str


def take(engine: DesignEngine, clicked: Clicked | None, article_id: object, how: object) -> Taken:
    """`how` is "prompt" or "trace"; it and the article come from the page and are not to be trusted.

    Raises:
        StudioError: for an article that is not shown, or whose picture is missing or damaged.
    """
    sold = () if clicked is None else engine.sold_with(*vars(clicked).values())
    found = next((one for one in sold if one.article_id == article_id), None)
    if found is None or how not in ("prompt", "trace"):
        raise StudioError(drawertexts.no_such_garment(article_id))
    if how == "prompt":
        return Taken(found.caption, "", drawertexts.USED)
    if not found.image.is_file():
        raise StudioError(drawertexts.no_picture(found.name))
    try:
        lines = lines_from_photo(read_product_picture(found.image), keep_place=True)
    except ValueError as error:
        raise StudioError(errortexts.capital(str(error))) from error
    return Taken("", encode_canvas(lines), drawertexts.TRACED)
