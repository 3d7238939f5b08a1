"""Motifs of printed cloth as tiles that repeat, and prints that stand once on the front.

In: a random generator. Out: `Tile`, weights of the second and third colour. Knows nothing of colours or garments.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fashiondistill.data.vector.textures import noise

SIZE = 256
WORDS = (
    "CLUB",
    "NORTH",
    "STUDIO",
    "1987",
    "COAST",
    "SUNDAY",
    "RIDER",
    "HELLO",
    "OCEAN",
    "76",
    "WILD",
    "TOKYO",
    "LIBRE",
    "PACIFIC",
    "BLOOM",
    "TEAM 09",
    "ATLAS",
    "RADIO",
    "GOOD DAY",
    "88",
    "PARADE",
    "LAKE",
    "MOTO",
    "AMOUR",
)


@dataclass(frozen=True, eq=False)
class Tile:
    """float32 [H, W] weights in [0, 1] of the second and the third colour."""

    second: np.ndarray
    third: np.ndarray


class _Sheet:
    """A periodic canvas: what is drawn over an edge comes in again at the other."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.layers = [np.zeros((size, size), np.uint8) for _ in range(2)]

    def polygon(self, layer: int, points: np.ndarray, value: int = 255) -> None:
        low, high = points.min(axis=0), points.max(axis=0)
        for shift_x in (-self.size, 0, self.size):
            for shift_y in (-self.size, 0, self.size):
                shift = np.array([shift_x, shift_y])
                if (high + shift > 0).all() and (low + shift < self.size).all():
                    fixed = np.round((points + shift) * 16).astype(np.int32)
                    cv2.fillPoly(self.layers[layer], [fixed], value, cv2.LINE_AA, 4)

    def cover(self, points: np.ndarray) -> None:
        """Third colour over the second."""
        self.polygon(1, points)
        self.polygon(0, points, 0)

    def tile(self) -> Tile:
        return Tile(*(layer.astype(np.float32) / 255 for layer in self.layers))


def _ring(centre: np.ndarray, radii: tuple[float, float], turn: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    points = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=1)
    cos, sin = np.cos(turn), np.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]]) + centre


def _scattered(rng: np.random.Generator, count: int, apart: float) -> np.ndarray:
    """Places [N, 2] on the periodic tile, none nearer than `apart` to another."""
    places: list[np.ndarray] = []
    for _ in range(count * 30):
        place = rng.uniform(0, SIZE, 2)
        gaps = [np.abs(place - other) for other in places]
        if all(np.hypot(*np.minimum(gap, SIZE - gap)) > apart for gap in gaps):
            places.append(place)
        if len(places) == count:
            break
    return np.array(places)


def dots(rng: np.random.Generator) -> Tile:
    """Discs in rows that are shifted by half."""
    sheet, rows = _Sheet(), int(rng.choice([4, 6, 8, 10]))
    step = SIZE / rows
    radius = step * rng.uniform(0.2, 0.3)
    for row in range(rows):
        for column in range(rows):
            centre = np.array([(column + 0.5 * (row % 2)) * step, (row + 0.5) * step])
            sheet.polygon(0, _ring(centre, (radius, radius), 0))
    return sheet.tile()


def flowers(rng: np.random.Generator) -> Tile:
    """Flowers with five or six petals, centres and leaves in the third colour."""
    sheet, size = _Sheet(), float(rng.uniform(11, 24))
    petals = int(rng.integers(5, 7))
    for place in _scattered(rng, int(9000 / size**2) + 6, size * 2.6):
        turn, own = rng.uniform(0, 2 * np.pi), size * rng.uniform(0.7, 1.15)
        for side in (0.6, 2.9):
            angle = turn + side
            tip = place + own * 1.35 * np.array([np.cos(angle), np.sin(angle)])
            sheet.polygon(1, _ring(tip, (own * 0.5, own * 0.18), angle))
        for petal in range(petals):
            angle = turn + 2 * np.pi * petal / petals
            centre = place + own * 0.55 * np.array([np.cos(angle), np.sin(angle)])
            sheet.polygon(1, _ring(centre, (own * 0.46, own * 0.34), angle), 0)
            sheet.polygon(0, _ring(centre, (own * 0.45, own * 0.32), angle))
        sheet.cover(_ring(place, (own * 0.2, own * 0.2), 0))
    return sheet.tile()


def leaves(rng: np.random.Generator) -> Tile:
    """Pointed leaves on stems, all ways round."""
    sheet, size = _Sheet(), float(rng.uniform(12, 26))
    for place in _scattered(rng, int(12000 / size**2) + 6, size * 2.1):
        turn = rng.uniform(0, 2 * np.pi)
        axis = np.array([np.cos(turn), np.sin(turn)])
        for step in (-0.7, 0, 0.7):
            for side in (-1, 1):
                angle = turn + side * 0.8
                centre = place + axis * size * step + size * 0.42 * np.array([np.cos(angle), np.sin(angle)])
                sheet.polygon(0 if step else 1, _ring(centre, (size * 0.42, size * 0.13), angle))
    return sheet.tile()


def camouflage(rng: np.random.Generator) -> Tile:
    """Blobs of a first and a second kind on the ground."""
    wide = rng.uniform(12, 20)
    first, second = noise(rng, wide, wide * 0.6), noise(rng, wide, wide * 0.6)
    blobs = np.clip((first - 0.35) * 8 + 0.5, 0, 1)
    others = np.clip((second - 0.75) * 8 + 0.5, 0, 1)
    return Tile((blobs * (1 - others)).astype(np.float32), others.astype(np.float32))


def leopard(rng: np.random.Generator) -> Tile:
    """Broken rings with a middle of the third colour."""
    sheet = _Sheet()
    size = float(rng.uniform(9, 15))
    for place in _scattered(rng, int(15000 / size**2), size * 2.1):
        turn, stretch = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.25)
        sheet.polygon(1, _ring(place, (size * 0.62 * stretch, size * 0.55), turn))
        for part in range(int(rng.integers(2, 4))):
            angle = turn + part * 2.2
            centre = place + size * 0.72 * np.array([np.cos(angle) * stretch, np.sin(angle)])
            sheet.polygon(0, _ring(centre, (size * 0.3, size * 0.6), angle))
    return sheet.tile()


def geometric(rng: np.random.Generator) -> Tile:
    """Diamonds, triangles or crosses in rows."""
    sheet, rows, kind = _Sheet(), int(rng.choice([4, 6, 8])), int(rng.integers(3))
    step = SIZE / rows
    sides = (4, 3, 4)[kind]
    for row in range(rows):
        for column in range(rows):
            centre = np.array([(column + 0.5 * (row % 2)) * step, (row + 0.5) * step])
            angle = 2 * np.pi * np.arange(sides) / sides - np.pi / 2
            corners = np.stack([np.cos(angle), np.sin(angle)], axis=1)
            sheet.polygon(0, centre + corners * step * 0.4)
            if kind != 1:
                sheet.cover(centre + corners * step * 0.18)
    return sheet.tile()


def placed_print(name: str, rng: np.random.Generator, half_width: float) -> Tile:
    """A print that stands once: "letter print", "graphic print" or "chest logo"; `half_width` in pixels."""
    if name == "letter print":
        return _letters(rng, half_width)
    if name == "graphic print":
        return _graphic(rng, half_width)
    return _logo(rng, half_width)


def _letters(rng: np.random.Generator, half_width: float) -> Tile:
    """One to three lines of capitals, each as wide as the print, the last perhaps in the third colour."""
    count = int(rng.integers(1, 4))
    width = max(8, round(2 * half_width))
    rows = [_line_of_text(str(rng.choice(WORDS)), width, rng) for _ in range(count)]
    gap = round(0.08 * width)
    height = sum(row.shape[0] for row in rows) + gap * (count - 1)
    layers = [np.zeros((height, width), np.float32) for _ in range(2)]
    top = 0
    for number, row in enumerate(rows):
        layer = layers[1 if number == count - 1 and count > 1 and rng.random() < 0.5 else 0]
        layer[top : top + row.shape[0], : row.shape[1]] = row[:, :width]
        top += row.shape[0] + gap
    return Tile(*(np.pad(layer, 2) for layer in layers))


def _line_of_text(text: str, width: int, rng: np.random.Generator) -> np.ndarray:
    font, weight = ImageFont.load_default(90), int(rng.integers(1, 5))
    left, top, right, bottom = font.getbbox(text, stroke_width=weight)
    image = Image.new("L", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font, stroke_width=weight)
    height = min(round(image.height * width / image.width), round(0.9 * width))
    return np.asarray(image.resize((width, max(6, height)), Image.Resampling.BOX), np.float32) / 255


def _graphic(rng: np.random.Generator, half_width: float) -> Tile:
    """A sun over hills, a badge, a star or rings."""
    size = max(16, round(2 * half_width))
    layers = [np.zeros((size, size), np.uint8) for _ in range(2)]
    middle, kind = np.array([size / 2, size / 2]), int(rng.integers(4))

    def fill(layer: int, points: np.ndarray, value: int = 255) -> None:
        cv2.fillPoly(layers[layer], [np.round(points * 16).astype(np.int32)], value, cv2.LINE_AA, 4)

    if kind == 0:
        fill(0, _ring(middle, (size * 0.46, size * 0.46), 0))
        fill(1, _ring(middle - (0, size * 0.1), (size * 0.2, size * 0.2), 0))
        hills = np.array([(0.05, 0.7), (0.3, 0.45), (0.5, 0.66), (0.7, 0.4), (0.95, 0.7), (0.75, 0.9), (0.25, 0.9)])
        fill(0, hills * size, 0)
        fill(1, (hills * 0.9 + (0.05, 0.08)) * size)
    elif kind == 1:
        for radius in (0.46, 0.4, 0.34, 0.12):
            fill(0, _ring(middle, (size * radius,) * 2, 0), 255 if radius in (0.46, 0.34) else 0)
        fill(1, _ring(middle, (size * 0.12,) * 2, 0))
    elif kind == 2:
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 0.48, 0.2) * size
        fill(0, middle + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    else:
        for number, share in enumerate((0.2, 0.4, 0.6, 0.8)):
            y = size * share
            fill(
                number % 2,
                np.array(
                    [
                        (0.05 * size, y - 0.07 * size),
                        (0.95 * size, y - 0.07 * size),
                        (0.95 * size, y + 0.05 * size),
                        (0.05 * size, y + 0.05 * size),
                    ]
                ),
            )
    return Tile(*(np.pad(layer.astype(np.float32) / 255, 2) for layer in layers))


def _logo(rng: np.random.Generator, half_width: float) -> Tile:
    """A word or badge a quarter as wide, on the right of the picture: the wearer's left."""
    small = _letters(rng, half_width * 0.3) if rng.random() < 0.5 else _graphic(rng, half_width * 0.22)
    height, width = small.second.shape
    shift, rise = round(2 * half_width * 0.85), round(half_width * 0.5)
    layers = [np.zeros((height + 2 * rise, width + shift), np.float32) for _ in range(2)]
    for layer, part in zip(layers, (small.second, small.third), strict=True):
        layer[:height, shift:] = part
    return Tile(*layers)
