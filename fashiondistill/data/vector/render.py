"""A figure in colours and cloth -> picture, mask and sketch.

In: `Figure` and `Look`. Out: `Painted`, uint8 of 512 x 384. Panels are painted one over the other at twice the size;
each throws a shadow on those below and hides their lines. Outside the garment stands the flat ground of the photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.lines import smooth_contours
from fashiondistill.data.vector import figure as fig
from fashiondistill.data.vector.figure import Figure, Panel
from fashiondistill.data.vector.folds import relief
from fashiondistill.data.vector.laying import SCALE, laid_down, place
from fashiondistill.data.vector.patterns import Pattern, Place, make_pattern
from fashiondistill.data.vector.stitching import Stitching
from fashiondistill.data.vector.textures import MATERIALS, Material, texture

SUBPIXEL_BITS = 4
OUTLINE = 2.0  # pixels, of the sketch
METALS = {"gold": (192, 164, 98), "silver": (172, 174, 180), "rose gold": (186, 142, 120)}
SOLES = ((232, 230, 224), (38, 37, 38), (176, 132, 88), (120, 92, 66))
HARD = Material("", "smooth", 0.0, 0.7, 0.0, 0.0)
MATERIAL_OF_ROLE = {
    fig.METAL: HARD,
    fig.BUTTON: Material("", "smooth", 0.0, 0.3, 0.0, 0.0),
    fig.GLASS: HARD,
    fig.SOLE: Material("", "smooth", 0.03, 0.12, 0.0, 0.0),
    fig.HEEL: Material("", "smooth", 0.03, 0.25, 0.0, 0.0),
    fig.HIDE: MATERIALS["leather"],
    fig.LINING: Material("", "woven", 0.05, 0.0, 0.8, 0.7),
}
DEPTH_OF_TEXTURE = {"lace": 0.36, "rib": 0.2, "mesh": 0.2, "rope": 0.3}


@dataclass(frozen=True)
class Look:
    """What a figure is made of.

    Attributes:
        material: key of `textures.MATERIALS`.
        print_name: key of `patterns.PRINTS`.
        first, second, third: sRGB 0..255 of ground, pattern and its accent.
        trim: sRGB of collars, soles' edges and bindings that differ from the cloth.
        metal: key of `METALS`, of buckles, chains and zips.
        seed: of folds, pattern and hardware.
    """

    material: str
    print_name: str
    first: tuple[float, float, float]
    second: tuple[float, float, float]
    third: tuple[float, float, float]
    trim: tuple[float, float, float]
    metal: str
    seed: int


@dataclass(frozen=True, eq=False)
class Painted:
    """uint8: image [512, 384, 3], sketch (bright on black) and mask (255 = garment) [512, 384]."""

    image: np.ndarray
    sketch: np.ndarray
    mask: np.ndarray


def paint(figure: Figure, look: Look) -> Painted:
    """Paint a figure."""
    rng = np.random.default_rng(look.seed)
    placed, zoom = place(laid_down(figure, rng))
    painter = _Painter(look, rng, placed, zoom)
    for panel in placed.panels:
        painter.add(panel)
    return painter.finish()


def sketch_of(figure: Figure, *, weight: float = 0.8) -> np.ndarray:
    """The lines alone, uint8 [512, 384]: what `paint` draws as sketch, without the painting."""
    placed, _ = place(figure)
    whole = np.zeros((IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE), np.uint8)
    stitching = Stitching(whole.shape)
    for panel in placed.panels:
        frame = (slice(0, whole.shape[0]), slice(0, whole.shape[1]))
        alpha = filled(panel.outline, whole.shape)
        whole = np.where(alpha > 127, 0, whole) if panel.role == fig.HOLE else np.maximum(whole, alpha)
        stitching.add(panel, frame, alpha)
    return finish_sketch(stitching.ink, whole, weight)


def mask_of(placed: Figure) -> np.ndarray:
    """The mask alone, uint8 [512, 384], 255 = garment, of a figure that `laying.place` has placed."""
    whole = np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), np.uint8)
    for panel in placed.panels:
        alpha = filled(panel.outline / SCALE, whole.shape)
        whole = np.where(alpha > 127, 0, whole).astype(np.uint8) if panel.role == fig.HOLE else np.maximum(whole, alpha)
    return np.where(whole > 127, 255, 0).astype(np.uint8)


def finish_sketch(ink: np.ndarray, whole: np.ndarray, weight: float) -> np.ndarray:
    """Thin inner lines and the thick outline of the mask, as `lines.draw_lines` makes them of photos."""
    inner = (ink.astype(np.float32) * weight * (whole > 127)).astype(np.uint8)
    canvas = np.zeros_like(ink)
    for contour in smooth_contours(whole > 127, smoothness=2.0):
        cv2.polylines(canvas, [_fixed(contour)], True, 255, round(OUTLINE * SCALE), cv2.LINE_AA, SUBPIXEL_BITS)
    return cv2.resize(np.maximum(canvas, inner), (IMAGE_WIDTH, IMAGE_HEIGHT), interpolation=cv2.INTER_AREA)


def filled(outline: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """uint8 alpha of a closed outline."""
    canvas = np.zeros(shape[:2], np.uint8)
    return cv2.fillPoly(canvas, [_fixed(outline)], 255, cv2.LINE_AA, SUBPIXEL_BITS)


def _fixed(points: np.ndarray) -> np.ndarray:
    return (points * 2**SUBPIXEL_BITS).round().astype(np.int32)


class _Painter:
    """The picture while its panels are painted."""

    def __init__(self, look: Look, rng: np.random.Generator, placed: Figure, zoom: float) -> None:
        height, width = IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE
        self.look, self.rng, self.zoom = look, rng, zoom
        self.image = np.full((height, width, 3), float(GROUND), np.float32)
        self.whole = np.zeros((height, width), np.uint8)
        self.stitching = Stitching((height, width))
        points = np.concatenate([panel.outline for panel in placed.panels])
        self.where = Place(*placed.anchor, placed.print_size, float(points[:, 1].min()), float(points[:, 1].max()))
        self.pattern: Pattern = make_pattern(look.print_name, rng, self.where)
        self.sole = SOLES[rng.choice(len(SOLES), p=(0.45, 0.3, 0.15, 0.1))]
        self.heel = SOLES[1 + rng.choice(3, p=(0.6, 0.2, 0.2))]
        self.button = (225, 220, 208) if rng.random() < 0.4 else tuple(0.55 * c + 18 for c in look.first)
        self.hide = ((124, 82, 52), (38, 34, 33), (170, 124, 80))[rng.integers(3)]

    def add(self, panel: Panel) -> None:
        """Paint one panel over what is there."""
        margin = round(4 + 3 * panel.lift * self.zoom)
        low = np.floor(panel.outline.min(axis=0)).astype(int) - margin
        high = np.ceil(panel.outline.max(axis=0)).astype(int) + margin + 1
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, (self.whole.shape[1], self.whole.shape[0]))
        frame, corner = (slice(top, bottom), slice(left, right)), np.array([left, top])
        local = panel.moved(lambda points: points - corner)
        alpha = filled(local.outline, (bottom - top, right - left))
        if panel.role == fig.HOLE:
            inside = alpha > 127
            self.image[frame][inside], self.whole[frame][inside] = GROUND, 0
        else:
            self._throw_shadow(frame, alpha, panel.lift * self.zoom)
            weight = (alpha.astype(np.float32) / 255)[..., None]
            painted = self._painted(local, alpha, corner)
            self.image[frame] += weight * (painted - self.image[frame])
            self.whole[frame] = np.maximum(self.whole[frame], alpha)
        self.stitching.add(local, frame, alpha)

    def _throw_shadow(self, frame: tuple[slice, slice], alpha: np.ndarray, reach: float) -> None:
        """Darken what the panel lies on, mostly to its lower right; the ground stays flat, as it is in the photos."""
        if reach < 0.5 or not self.whole[frame].any():
            return
        shift = np.float32([[1, 0, 0.5 * reach], [0, 1, 0.8 * reach]])
        shadow = cv2.warpAffine(alpha, shift, alpha.shape[::-1])
        shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.8, 0.7 * reach)).astype(np.float32) / 255
        self.image[frame] *= 1 - (0.5 * shadow * (self.whole[frame] > 127))[..., None]

    def _painted(self, panel: Panel, alpha: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """float32 [h, w, 3]: the panel's cloth, lit."""
        look, role = self.look, panel.role
        material = MATERIAL_OF_ROLE.get(role, MATERIALS[look.material])
        light = relief(panel, alpha, zoom=self.zoom, material=material, rng=self.rng)
        x = np.arange(alpha.shape[1], dtype=np.float32)[None] + np.float32(corner[0]) + 5 * light.dx
        y = np.arange(alpha.shape[0], dtype=np.float32)[:, None] + np.float32(corner[1]) + 5 * light.dy
        cloth = self._grain(x, y, panel.turn)
        gain = light.light
        name = panel.texture or material.texture
        if name != "smooth":
            size = texture(name).shape[0]
            at = np.mod(cloth[0], size), np.mod(cloth[1], size)
            weave = cv2.remap(texture(name), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            gain = gain + np.float32(DEPTH_OF_TEXTURE.get(panel.texture, material.depth)) * weave
        base = self._colours(role, cloth, (x, y))
        if material.fade and role in (fig.CLOTH, fig.PLAIN):
            gain = gain + material.fade * min(1.0, 130 / (sum(look.first) / 3 + 1)) * self._faded(alpha)
        return lit(base, gain, light.spark * np.float32(material.gloss) if material.gloss > 0.1 else None, alpha)

    def _grain(self, x: np.ndarray, y: np.ndarray, turn: float) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along and across the weave of points of the picture."""
        x, y = x - np.float32(self.where.x), y - np.float32(self.where.y)
        if not turn:
            return np.ascontiguousarray(x), np.ascontiguousarray(y)
        cos, sin = np.float32(np.cos(np.deg2rad(turn))), np.float32(np.sin(np.deg2rad(turn)))
        return x * cos + y * sin, y * cos - x * sin

    def _faded(self, alpha: np.ndarray) -> np.ndarray:
        """Paler in the middle of panels, as washed denim; at most about 0.5."""
        half = cv2.resize(alpha, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(half, (0, 0), 7).astype(np.float32) / 255
        return 0.8 * cv2.resize(soft, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR) ** 2

    def _colours(
        self, role: str, cloth: tuple[np.ndarray, np.ndarray], frame: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """float32 [h, w, 3] or [3]: the colour of each point before light falls on it."""
        look = self.look
        first = np.array(look.first, np.float32)
        single = {
            fig.PLAIN: first,
            fig.TRIM: np.array(look.trim, np.float32),
            fig.METAL: np.array(METALS[look.metal], np.float32),
            fig.SOLE: np.array(self.sole, np.float32),
            fig.HIDE: np.array(self.hide, np.float32),
            fig.BUTTON: np.array(self.button, np.float32),
            fig.HEEL: np.array(self.heel, np.float32),
            fig.LINING: 0.62 * first + 6,
            fig.GLASS: 0.5 * first + np.float32(70),
        }
        if role in single:
            return single[role]
        if self.pattern.of_cloth is not None:
            second, third = self.pattern.of_cloth(*cloth)
        elif self.pattern.of_frame is not None:
            second, third = self.pattern.of_frame(*frame)
        else:
            return first
        two, three = np.array(look.second, np.float32), np.array(look.third, np.float32)
        return first + second[..., None] * (two - first) + third[..., None] * (three - first)

    def finish(self) -> Painted:
        """Seams, thread and grain over all; then the picture, mask and sketch of the final size."""
        self.stitching.apply(self.image, self.whole, self.look.first)
        size = (IMAGE_WIDTH, IMAGE_HEIGHT)
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(self.whole, size, interpolation=cv2.INTER_AREA)
        grain = cv2.GaussianBlur(self.rng.normal(0, 1, image.shape[:2]).astype(np.float32), (0, 0), 0.6)
        image += (2.6 * grain * (share > 250))[..., None]
        weight = float(self.rng.uniform(0.65, 0.9))
        return Painted(
            image=image.clip(0, 255).round().astype(np.uint8),
            sketch=finish_sketch(self.stitching.ink, self.whole, weight),
            mask=np.where(share > 127, 255, 0).astype(np.uint8),
        )


def lit(base: np.ndarray, gain: np.ndarray, shine: np.ndarray | None, alpha: np.ndarray) -> np.ndarray:
    """Light on a colour, so that the panel keeps its mean colour and dark cloth keeps visible folds.

    Args:
        base: float32 [h, w, 3] or [3], sRGB 0..255.
        gain: float32 [h, w], relative change of brightness.
        shine: float32 [h, w] in [0, 1], highlights; None = none.
        alpha: uint8 [h, w] of the panel, over which both are centred.
    """
    inside = (alpha > 127).astype(np.uint8)
    gain = gain - np.float32(cv2.mean(gain, inside)[0])
    bright = np.float32(base.reshape(-1, 3).mean())
    # Black cloth reflects some light whatever its colour: folds of photographed black span about 30 levels.
    own = np.float32(max(0.0, 40 - 0.22 * bright))
    if bright > 190:  # white would clip: highlights are flatter than shadows
        gain = np.where(gain > 0, np.float32(0.45) * gain, gain)
    added = (
        (own * gain)
        if shine is None
        else own * gain + np.float32(120) * (shine - np.float32(cv2.mean(shine, inside)[0]))
    )
    return base * (1 + gain)[..., None] + added[..., None]
