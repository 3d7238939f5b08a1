"""English of what can be done with the garments behind a plot, made as `texts` is. In: plain values. Out: strings."""

from __future__ import annotations

import reprlib

USE, TRACE = "Use as prompt", "Trace its edges"
USED = "The garment's words are your prompt now. Your drawing stays."
TRACED = "The garment's lines are on the canvas. Undo brings your drawing back."
NO_SUCH_GARMENT = "Garments: article {article} is not among those shown. Click a point of a plot again."
NO_PICTURE = "Garments: {name} has no picture to trace. Choose another one."


def no_such_garment(article_id: object) -> str:
    """Error for an article that is not among the garments shown."""
    return NO_SUCH_GARMENT.format(article=reprlib.repr(article_id))


def no_picture(name: str) -> str:
    """Error for a garment without a picture to trace."""
    return NO_PICTURE.format(name=name)
