"""Pictures under the paper: a bestseller to draw over, and the lines of whatever lies there.

In: what the page gave. Out: data URLs. Whatever a visitor can get wrong becomes a `StudioError`. Knows nothing of
gradio.
"""

from __future__ import annotations

from fashiondistill.data.photos import lines_from_photo
from fashiondistill.images import read_product_picture
from studio import checks, errortexts, texts
from studio.canvas import decode_picture, encode_canvas, encode_picture
from studio.engine import DesignEngine
from studio.state import StudioError


def trace_picture(value: str | None) -> str:
    """The picture under the paper (a PNG data URL) -> its garment's lines, at their place, as the canvas's value."""
    try:
        image = decode_picture(value)
        if image is None:
            raise StudioError(errortexts.no_upload(texts.UNDER))
        return encode_canvas(lines_from_photo(image, keep_place=True))
    except ValueError as error:
        raise StudioError(errortexts.capital(str(error))) from error


def bestseller_picture(engine: DesignEngine, category: str, week: str, article_id: object) -> tuple[str, str]:
    """One of the week's bestsellers as a PNG data URL of 384 x 512 pixels, and what the page calls it."""
    for item in engine.bestsellers(checks.check_category(category), checks.check_week(engine, week)):
        if item.article_id == article_id and item.image.is_file():
            return encode_picture(read_product_picture(item.image)), texts.bestseller(item.rank, item.name)
    raise StudioError(errortexts.no_such_bestseller(article_id))
