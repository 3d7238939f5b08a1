"""Product pictures for the tests, made up: a drawn garment on a light grey studio ground, alone or worn by a figure.

In: kinds, colours and a seed. Out: uint8 [H, W, 3] picture and uint8 [H, W] true mask. The ground falls off towards its
corners and the garment throws a soft shadow, as in a shop's pictures.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.data.drawings import draw_garment

HEIGHT, WIDTH = 720, 480
SKIN = {"light": (232, 196, 168), "brown": (163, 112, 82), "dark": (96, 64, 48)}
HAIR = (46, 34, 28)
# Where a figure of this size wears things: left, top, right, bottom.
PLACES = {"upper": (120, 138, 360, 364), "lower": (164, 332, 316, 640), "full": (132, 138, 348, 560)}


def product_shot(
    kind: str, *, colour: str = "navy", pattern: str = "plain", seed: int = 0, level: float = 236
) -> tuple[np.ndarray, np.ndarray]:
    """A garment lying alone."""
    drawn = draw_garment(kind, colours=(colour,), pattern=pattern, seed=seed)
    matrix = np.float32([[1.1, 0, WIDTH / 2 - 1.1 * 192], [0, 1.1, HEIGHT / 2 - 1.1 * 256]])
    picture, alpha = _moved(drawn.image, drawn.mask, matrix)
    generator = np.random.default_rng(seed)
    ground = _shaded(_ground(level), alpha)
    return _photo(_laid(ground, picture, alpha), generator), _truth(alpha)


def worn_shot(
    garments: dict[str, tuple[str, str]], wanted: str, *, skin: str = "light", seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A standing figure that wears `garments`: place -> (kind, colour); the mask is that of the `wanted` place."""
    body, flesh = _figure(SKIN[skin])
    truth = np.zeros((HEIGHT, WIDTH))
    scene, laid = _laid(_shaded(_ground(236), flesh), body, flesh), []
    for place, (kind, colour) in garments.items():
        drawn = draw_garment(kind, colours=(colour,), pattern="plain", seed=seed)
        laid.append((place, *_moved(drawn.image, drawn.mask, _into(drawn.mask, PLACES[place]))))
    for place, picture, alpha in laid:
        scene = _laid(scene, picture, alpha)
        truth = np.maximum(truth, alpha) if place == wanted else np.where(alpha > 0.5, 0, truth)
    return _photo(scene, np.random.default_rng(seed)), _truth(truth)


def _ground(level: float) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    return np.repeat((level - 4 * (x * x + y * y) + 2 * y)[..., None], 3, axis=2)


def _shaded(ground: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    shadow = cv2.GaussianBlur(np.roll(alpha.astype(np.float32), 8, axis=0), (0, 0), 9)
    return ground * (1 - 0.06 * shadow[..., None])


def _figure(skin: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    flesh, hair = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    middle = WIDTH // 2
    cv2.ellipse(flesh, (middle, 84), (32, 44), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.ellipse(hair, (middle, 74), (38, 46), 0, 180, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(flesh, (middle - 15, 110), (middle + 15, 152), 255, -1)
    for points in (
        [(-76, 152), (76, 152), (58, 344), (64, 376), (-64, 376), (-58, 344)],
        *(
            [(s * 76, 152), (s * 92, 180), (s * 122, 352), (s * 112, 400), (s * 96, 396), (s * 62, 200)]
            for s in (-1, 1)
        ),
        *([(s * 64, 376), (s * 3, 376), (s * 18, 690), (s * 50, 690)] for s in (-1, 1)),
    ):
        cv2.fillPoly(flesh, [np.int32([(middle + x, y) for x, y in points])], 255, cv2.LINE_AA)
    tone = np.where(hair[..., None] > 127, HAIR, skin).astype(np.float32)
    return tone, np.maximum(flesh, hair).astype(np.float32) / 255


def _into(mask: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, width, height = cv2.boundingRect(mask)
    scale_x, scale_y = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    return np.float32([[scale_x, 0, box[0] - scale_x * left], [0, scale_y, box[1] - scale_y * top]])


def _moved(picture: np.ndarray, mask: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = (WIDTH, HEIGHT)
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.float32), cv2.warpAffine(mask.astype(np.float32) / 255, matrix, size)


def _laid(scene: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return scene * (1 - alpha[..., None]) + picture * alpha[..., None]


def _photo(scene: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return (scene + generator.normal(0, 1.0, (*scene.shape[:2], 1))).clip(0, 255).round().astype(np.uint8)


def _truth(alpha: np.ndarray) -> np.ndarray:
    return np.where(alpha > 0.5, 255, 0).astype(np.uint8)
