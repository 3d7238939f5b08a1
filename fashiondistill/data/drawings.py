"""Drawn garments: picture, mask, sketch and caption of a kind in given colours and pattern, exact by construction.

In: a kind of `KINDS`, colour words, a pattern word and a seed. Out: `DrawnGarment`. They stand in for what the photos
lack (underwear, bags, scarves, belts, jewellery), for tests, and as templates of the canvas. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS, compose_caption
from fashiondistill.data.categories import get_category
from fashiondistill.data.shapes import CLOTH, HOLE, INSIDE, METAL, SHAPES, TRIM, Shape

SCALE = 2  # pictures are drawn at twice the size and reduced, which smooths every edge
SUBPIXEL_BITS = 4
FILL = 0.86  # share of the frame that the garment takes along its tighter side
LINE_WIDTH = 2.0  # pixels, of the sketch
METALS = ((196, 166, 92), (176, 178, 184), (188, 142, 118))


@dataclass(frozen=True)
class Kind:
    """A kind of garment: its category and the patterns that exist in shops for it."""

    category: str
    patterns: tuple[str, ...] = tuple(PATTERNS)


KINDS: dict[str, Kind] = {
    "t-shirt": Kind("top5gub"),
    "trousers": Kind("top5glb", ("plain", "striped", "checked", "patterned")),
    "skirt": Kind("top5glb", ("plain", "striped", "checked", "patterned")),
    "dress": Kind("top5gfb", ("plain", "striped", "checked", "patterned")),
    "shoes": Kind("top5shoe", ("plain", "patterned")),
    "briefs": Kind("top5underwear"),
    "boxer shorts": Kind("top5underwear", ("plain", "striped", "checked", "patterned")),
    "bra": Kind("top5underwear", ("plain", "striped", "patterned")),
    "camisole": Kind("top5underwear", ("plain", "striped", "patterned")),
    "handbag": Kind("top5acc", ("plain", "checked", "patterned")),
    "tote bag": Kind("top5acc"),
    "scarf": Kind("top5acc", ("plain", "striped", "checked", "patterned")),
    "belt": Kind("top5acc", ("plain",)),
    "necklace": Kind("top5acc", ("plain",)),
    "earrings": Kind("top5acc", ("plain",)),
}
# What the photos lack; the other kinds are only for tests and templates, photos teach them better.
TRAINING_KINDS = tuple(kind for kind in KINDS if kind not in ("t-shirt", "trousers", "skirt", "dress", "shoes"))
TEMPLATES = {
    "top5gub": "t-shirt", "top5glb": "trousers", "top5gfb": "dress", "top5shoe": "shoes", "top5acc": "handbag",
    "top5underwear": "briefs",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class DrawnGarment:
    """uint8 image [512, 384, 3], sketch (bright on black) and mask (255 = garment) [512, 384], and the words."""

    image: np.ndarray
    sketch: np.ndarray
    mask: np.ndarray
    caption: str
    category: str
    garment: str


def draw_garment(kind: str, *, colours: tuple[str, ...], pattern: str, seed: int) -> DrawnGarment:
    """Draw one garment.

    Args:
        kind: a key of `KINDS`; it is also the noun of the caption.
        colours: one or two words of `attributes.COLOURS`, the dominant one first; patterns other than "plain" use both.
        pattern: a word of `attributes.PATTERNS`.
        seed: of proportions, folds and placing of the pattern.

    Raises:
        ValueError: for an unknown kind, colour or pattern, naming what exists.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown: choose one of {', '.join(KINDS)}.")
    unknown = [word for word in colours if word not in COLOUR_BY_WORD]
    if unknown or len(colours) not in (1, 2):
        raise ValueError(f"colours {colours!r}: choose one or two of {', '.join(COLOUR_BY_WORD)}.")
    if pattern not in PATTERNS:
        raise ValueError(f"pattern {pattern!r} is unknown: choose one of {', '.join(PATTERNS)}.")
    rng = np.random.default_rng(seed)
    shape = _placed(SHAPES[kind](rng))
    tints = [np.clip(np.array(COLOUR_BY_WORD[word].rgb) + rng.normal(0, 4, 3), 0, 255) for word in colours]
    cloth = _cloth(tints, pattern, _middle(shape), rng)
    image = np.full((*cloth.shape[:2], 3), float(GROUND), np.float32)
    metal = np.array(METALS[rng.integers(len(METALS))], np.float32)
    whole = np.zeros(cloth.shape[:2], np.uint8)
    folds = _folds(rng, cloth.shape[:2])
    for part in shape.parts:
        alpha = _filled(part.outline)
        if part.material == HOLE:
            image[alpha > 127], whole[alpha > 127] = GROUND, 0
            continue
        paint = {INSIDE: cloth * 0.5, TRIM: cloth * 0.86, METAL: np.broadcast_to(metal, cloth.shape)}
        shaded = _shade(paint.get(part.material, cloth), alpha, folds, glossy=part.material == METAL)
        weight = alpha[..., None].astype(np.float32) / 255
        image = image * (1 - weight) + shaded * weight
        whole = np.maximum(whole, alpha)
    lines = _lines(shape)
    seam = cv2.GaussianBlur(lines, (0, 0), 1.2).astype(np.float32) / 255
    image *= 1 - 0.45 * seam[..., None] * (whole[..., None] > 0)
    image += rng.normal(0, 2.2, image.shape[:2])[..., None] * (whole[..., None] > 127)
    size = (IMAGE_WIDTH, IMAGE_HEIGHT)
    mask = np.where(cv2.resize(whole, size, interpolation=cv2.INTER_AREA) > 127, 255, 0).astype(np.uint8)
    return DrawnGarment(
        image=cv2.resize(image.clip(0, 255), size, interpolation=cv2.INTER_AREA).round().astype(np.uint8),
        sketch=cv2.resize(lines, size, interpolation=cv2.INTER_AREA),
        mask=mask,
        caption=compose_caption(colours=list(colours), pattern=pattern, garment=kind),
        category=KINDS[kind].category,
        garment=kind,
    )


def template_sketch(category: str) -> np.ndarray:
    """A plain silhouette to start from: float32 [512, 384] in [0, 1], 1 = stroke.

    Raises:
        ValueError: if there is no such category.
    """
    kind = TEMPLATES[get_category(category).folder]
    lines = _lines(_placed(SHAPES[kind](np.random.default_rng(1))))
    return cv2.resize(lines, (IMAGE_WIDTH, IMAGE_HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _middle(shape: Shape) -> tuple[int, int]:
    """Where a front print belongs: the middle of the largest piece of cloth."""
    outline = max(
        (part.outline for part in shape.parts if part.material == CLOTH), key=lambda points: np.ptp(points, 0).prod()
    )
    x, y = (outline.min(axis=0) + outline.max(axis=0)) / 2
    return round(x), round(y)


def _placed(shape: Shape) -> Shape:
    """Scale and centre a shape into the frame, in pixels of the enlarged picture."""
    points = np.concatenate([part.outline for part in shape.parts])
    low, high = points.min(axis=0), points.max(axis=0)
    frame = np.array([IMAGE_WIDTH, IMAGE_HEIGHT]) * SCALE
    zoom = FILL * (frame / (high - low)).min()
    shift = frame / 2 - zoom * (low + high) / 2
    parts = [type(part)(part.outline * zoom + shift, part.material) for part in shape.parts]
    return Shape(parts, [seam * zoom + shift for seam in shape.seams])


def _fixed(points: np.ndarray) -> np.ndarray:
    return (points * 2**SUBPIXEL_BITS).round().astype(np.int32)


def _filled(outline: np.ndarray) -> np.ndarray:
    canvas = np.zeros((IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE), np.uint8)
    return cv2.fillPoly(canvas, [_fixed(outline)], 255, cv2.LINE_AA, SUBPIXEL_BITS)


def _lines(shape: Shape) -> np.ndarray:
    """Strokes, uint8: outlines of the visible parts and seams; a part hides the lines beneath it, air holds no seam."""
    canvas = np.zeros((IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE), np.uint8)
    seams, solid = np.zeros_like(canvas), np.zeros(canvas.shape, bool)
    width = round(LINE_WIDTH * SCALE)
    for part in shape.parts:
        inside = _filled(part.outline) > 127
        canvas[inside], solid[inside] = 0, part.material != HOLE
        cv2.polylines(canvas, [_fixed(part.outline)], True, 255, width, cv2.LINE_AA, SUBPIXEL_BITS)
    for seam in shape.seams:
        cv2.polylines(seams, [_fixed(seam)], False, 210, max(1, width - 1), cv2.LINE_AA, SUBPIXEL_BITS)
    return np.maximum(canvas, seams * solid)


def _folds(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Soft light and shade of hanging cloth, about -1 to 1: noise stretched along y, bent a little."""
    height, width = size
    coarse = cv2.resize(rng.normal(0, 1, (5, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.normal(0, 1, (7, 22)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(0.6 * coarse + 0.4 * fine, -1.5, 1.5)


def _shade(paint: np.ndarray, alpha: np.ndarray, folds: np.ndarray, *, glossy: bool) -> np.ndarray:
    """Round the edges by distance to the outline, light from the upper left, and lay the folds on."""
    distance = cv2.distanceTransform((alpha > 127).astype(np.uint8), cv2.DIST_L2, 3)
    depth = min(60.0, float(distance.max()) + 1e-3)
    height = np.sqrt(1 - (1 - np.clip(distance / depth, 0, 1)) ** 2).astype(np.float32)
    smooth = cv2.GaussianBlur(height, (0, 0), 6)
    light = (cv2.Sobel(smooth, cv2.CV_32F, 1, 0) + cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) * (2.4 if glossy else 1.2)
    gain = 0.86 + 0.16 * height + np.clip(light, -0.25, 0.25) + (0.0 if glossy else 0.055) * folds
    return paint * gain[..., None] + 10 * np.clip(folds, 0, 1)[..., None] * (not glossy)


def _cloth(tints: list[np.ndarray], pattern: str, middle: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Float32 [1024, 768, 3] sheet of cloth in the pattern."""
    height, width = IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE
    first = np.asarray(tints[0], np.float32)
    second = np.asarray(tints[-1], np.float32)
    if len(tints) == 1:
        second = first * 0.62 if first.mean() > 110 else first + 80
    sheet = np.broadcast_to(first, (height, width, 3)).copy()
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bend = cv2.resize(rng.normal(0, 7, (4, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    period = rng.uniform(28, 80)
    if pattern == "striped":
        along = (x if rng.random() < 0.3 else y) + bend
        share = rng.uniform(0.3, 0.5)
        sheet[(along % period) < share * period] = second
    elif pattern == "checked":
        for along in (x, y):
            weight = 0.5 * (((along + bend) % period) < 0.45 * period)[..., None]
            sheet = sheet * (1 - weight) + second * weight
            thin = (((along + bend + 0.7 * period) % period) < 0.06 * period)[..., None] * 0.6
            sheet = sheet * (1 - thin) + second * thin
    elif pattern == "patterned":
        _scatter(sheet, second, period, rng)
    elif pattern == "printed":
        _motif(sheet, second, middle, rng.uniform(60, 100), rng)
    return cv2.GaussianBlur(sheet, (0, 0), 0.8)


def _scatter(sheet: np.ndarray, colour: np.ndarray, period: float, rng: np.random.Generator) -> None:
    """Dots, leaves or flowers on a shifted grid."""
    motif = rng.integers(3)
    size = period * rng.uniform(0.18, 0.3)
    for row, y in enumerate(np.arange(0, sheet.shape[0], period)):
        for x in np.arange(period / 2 * (row % 2), sheet.shape[1], period):
            centre = np.array([x, y]) + (rng.normal(0, period * 0.08, 2) if motif else 0)
            turn = float(rng.uniform(0, 360))
            if motif == 0:
                _dot(sheet, centre, (size, size), 0, colour)
            elif motif == 1:
                _dot(sheet, centre, (size * 1.3, size * 0.5), turn, colour)
            else:
                for petal in range(5):
                    angle = np.deg2rad(turn + 72 * petal)
                    _dot(
                        sheet,
                        centre + size * 0.8 * np.array([np.cos(angle), np.sin(angle)]),
                        (size * 0.55,) * 2,
                        0,
                        colour,
                    )


def _motif(
    sheet: np.ndarray, colour: np.ndarray, centre: tuple[int, int], size: float, rng: np.random.Generator
) -> None:
    """One front print: a disc, a star or bars."""
    kind = rng.integers(3)
    if kind == 0:
        _dot(sheet, np.array(centre), (size, size), 0, colour)
        _dot(sheet, np.array(centre), (size * 0.6,) * 2, 0, sheet[0, 0])
    elif kind == 1:
        angle = np.deg2rad(np.arange(10) * 36 - 90)
        radius = np.where(np.arange(10) % 2 == 0, size, size * 0.45)
        star = np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1)
        cv2.fillPoly(sheet, [_fixed(star)], colour.tolist(), cv2.LINE_AA, SUBPIXEL_BITS)
    else:
        for k in range(3):
            top = round(centre[1] - size / 2 + k * size * 0.4)
            half = round(size * (1 - 0.2 * k))
            sheet[top : top + round(size * 0.22), centre[0] - half : centre[0] + half] = colour


def _dot(sheet: np.ndarray, centre: np.ndarray, radii: tuple[float, float], turn: float, colour: np.ndarray) -> None:
    points = cv2.ellipse2Poly((0, 0), (1000, 1000), 0, 0, 360, 15)[:, :2] / 1000.0 * radii
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    rotated = points @ np.array([[cos, sin], [-sin, cos]]) + centre
    cv2.fillPoly(sheet, [_fixed(rotated)], [float(v) for v in colour], cv2.LINE_AA, SUBPIXEL_BITS)
