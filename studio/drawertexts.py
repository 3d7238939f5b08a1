"""Every English string of what can be done with the garments behind a plot. In: plain values. Out: strings."""

from __future__ import annotations

import reprlib

USE, TRACE = "Use as prompt", "Trace its edges"
USED = "The garment's words are your prompt now. Your drawing stays."
TRACED = "The garment's lines are on the canvas. Undo brings your drawing back."


def no_such_garment(article_id: object) -> str:
    """Error for an article that is not among the garments shown."""
    return f"Garments: article {reprlib.repr(article_id)} is not among those shown. Click a point of a plot again."


def no_picture(name: str) -> str:
    """Error for a garment without a picture to trace."""
    return f"Garments: {name} has no picture to trace. Choose another one."
