"""Pictures as data URLs, and what a design's file is called.

In: designs, uint8 arrays [H, W, 3] or paths. Out: strings. Knows nothing of HTML.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.design import ScoredDesign
from fashiondistill.export import png_bytes
from fashiondistill.images import read_product_picture

TILE_HEIGHT = 288  # pixels; tiles show at up to 144, so that they stay sharp at device scale 2


def jpeg_url(image: np.ndarray, *, quality: int = 92) -> str:
    """Data URL of uint8 [H, W, 3] for showing only."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def tile_picture(path: Path) -> str:
    """A small JPEG as a data URL; "" where the shop has no picture."""
    return _thumbnail(path) if path.is_file() else ""  # H&M's own set lacks 442 pictures


@lru_cache(maxsize=1024)
def _thumbnail(path: Path) -> str:
    picture = Image.fromarray(read_product_picture(path))
    picture.thumbnail((TILE_HEIGHT, TILE_HEIGHT), Image.Resampling.LANCZOS)
    return jpeg_url(np.asarray(picture), quality=85)


def download_name(scored: ScoredDesign) -> str:
    """File name of a design: says what it is and sorts by rank, or by arrival where nothing was ranked."""
    request = scored.design.request
    place = f"rank{scored.rank}" if scored.rank else f"candidate{scored.design.index + 1}"
    return f"{request.category}_{request.week}_seed{request.seed}_{place}.png"


def png_url(scored: ScoredDesign, *, model: str, references: tuple[str, ...] = ()) -> str:
    """Data URL of the PNG with everything that made it inside."""
    data = png_bytes(scored, model=model, references=references)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
