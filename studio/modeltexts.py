"""English of the model card, made as `texts` is. In: plain values. Out: strings, not escaped."""

from __future__ import annotations

from fashiondistill.modelcard import FEW

TITLE = "What this model draws well, and what not"
INTRO = (
    "Measured on photos of people whose pictures the model has never seen: one design for the sketch and the words of "
    "each photo, the first one, nothing chosen. Small: the 95 % interval and the number of photos. CLIP-T is that of "
    "the CLIP that also ranks, no independent judge."
)
FIGURES = {
    "clip_t_ratio": "Follows the words",
    "outline_iou": "Follows the outline",
    "inner_lines": "Follows inner strokes",
}
MEANINGS = {
    "clip_t_ratio": "CLIP-T of the designs over that of the photos",
    "outline_iou": "overlap with the sketch's outline (IoU), 1 = all",
    "inner_lines": "share of inner strokes that an edge follows",
}
ALL = "All photos together"
WEAK = "below the mean of all"
NOT_MEASURED = "not measured"
WHY_NOT_MEASURED = "Not measured: there were fewer than two photos, so it is not known how well the model draws these."
NO_CATEGORIES = "Of this model it is not known which categories it draws well and which not: they were not told apart."

# Filled in by the functions below.
INTERVAL, COUNT = "{low:.2f} to {high:.2f}", "{count} photos"
FEW_PHOTOS = "{count} photos: too few to tell"


def interval(low: float, high: float) -> str:
    """Where the figure of all such photos should lie."""
    return INTERVAL.format(low=low, high=high)


def count(number: int) -> str:
    """How many photos a figure is measured on."""
    return (FEW_PHOTOS if number < FEW else COUNT).format(count=number)
