"""Photo -> garment mask, with no model to download: GrabCut from three starts, the best-scored one wins.

In: uint8 [H, W, 3] RGB. Out: `GarmentMask` (uint8 0/255 of the same size, and how far it can be trusted).
GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004. Guided filter: He, Sun, Tang, ECCV 2010, equations 5, 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

WORK_SIZE = 256  # long side in pixels while GrabCut runs; 320 cost 1.6 x the time for the same share accepted
NUM_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class GarmentMask:
    """A mask (uint8 [H, W], 255 = garment), its score in [0, 1] and, below 1, what spoke against it."""

    mask: np.ndarray
    score: float
    weakness: str


@dataclass(frozen=True, eq=False)
class Small:
    """A photo as GrabCut sees it: uint8 RGB and CIELAB [h, w, 3], long side `WORK_SIZE`, and how far in colour each
    pixel is from the picture's border (float32 [h, w])."""

    rgb: np.ndarray
    lab: np.ndarray
    distance: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> Small:
        """Shrink and measure uint8 [H, W, 3] RGB."""
        scale = WORK_SIZE / max(image.shape[:2])
        rgb = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
        return cls(rgb, lab, _distance_to_border_colours(lab))


def three_cuts(small: Small) -> list[np.ndarray]:
    """Masks uint8 [h, w] of 0 and 1 from the three starts."""
    starts = (_border_start(small.distance), _rect_start(small.lab), _oval_start(small.lab))
    return [keep_garment(grab_cut(small.lab, start)) for start in starts]


def garment_mask(image: np.ndarray) -> GarmentMask:
    """Segment the one garment that the photo shows.

    Args:
        image: uint8 [H, W, 3] RGB, garment roughly in the middle.

    Returns:
        The best of three GrabCut results. The score is the product of four terms in [0, 1]: agreement of the three
        starts, edge contrast, freedom from the picture's border, and solidity.
    """
    small = Small.of(image)
    candidates = three_cuts(small)
    agreements = [float(np.mean([iou(a, b) for b in candidates if b is not a])) for a in candidates]
    terms = [score_terms(small, mask, agreement) for mask, agreement in zip(candidates, agreements, strict=True)]
    scores = [float(np.prod(list(term.values()))) for term in terms]
    best = int(np.argmax(scores))
    weakness = min(terms[best], key=terms[best].get)
    return GarmentMask(refine(image, candidates[best]), scores[best], weakness)


def _distance_to_border_colours(lab: np.ndarray) -> np.ndarray:
    """[H, W] float32: distance of each pixel to the nearest colour cluster of the border, shadows forgiven."""
    height, width = lab.shape[:2]
    band = max(4, round(0.05 * min(height, width)))
    border = np.ones((height, width), bool)
    border[band:-band, band:-band] = False
    samples = lab[border].astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(0)  # kmeans++ draws from OpenCV's global generator; the same photo must give the same mask
    _, labels, centres = cv2.kmeans(samples, 5, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels[:, 0], minlength=5) / len(labels)
    centres = centres[shares > 0.06]
    weights = np.float32([0.6, 1.0, 1.0])  # shadows change L more than a and b
    return np.min(np.linalg.norm((lab[:, :, None].astype(np.float32) - centres) * weights, axis=-1), axis=-1)


def _border_start(distance: np.ndarray) -> np.ndarray:
    """Probable garment = far in colour from the picture's border, by Otsu's threshold."""
    scaled = cv2.GaussianBlur(np.clip(distance * 3, 0, 255), (0, 0), 1.5).astype(np.uint8)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    start = np.where(scaled > threshold * 0.8, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    return with_sure_border(start)


def _rect_start(lab: np.ndarray) -> np.ndarray:
    height, width = lab.shape[:2]
    start = np.full((height, width), cv2.GC_BGD, np.uint8)
    inset_y, inset_x = round(0.04 * height), round(0.05 * width)
    start[inset_y : height - inset_y, inset_x : width - inset_x] = cv2.GC_PR_FGD
    return start


def _oval_start(lab: np.ndarray) -> np.ndarray:
    height, width = lab.shape[:2]
    start = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(
        start, (width // 2, height // 2), (round(width * 0.3), round(height * 0.34)), 0, 0, 360, cv2.GC_PR_FGD, -1
    )
    return with_sure_border(start)


def with_sure_border(start: np.ndarray) -> np.ndarray:
    """A GrabCut start whose outermost two pixels are background for sure; changes and returns it."""
    start[:2], start[-2:], start[:, :2], start[:, -2:] = (cv2.GC_BGD,) * 4
    return start


def grab_cut(lab: np.ndarray, start: np.ndarray) -> np.ndarray:
    """GrabCut of uint8 [H, W, 3] CIELAB from a start mask of OpenCV's four classes; uint8 [H, W], 1 = garment."""
    probable = np.isin(start, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if probable.sum() < 50:
        return np.zeros(start.shape, np.uint8)
    mask = start.copy()
    cv2.setRNGSeed(0)
    cv2.grabCut(lab, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), NUM_ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def keep_garment(mask: np.ndarray, *, speck: int = 5, smallest_part: float = 0.25) -> np.ndarray:
    """Drop specks and pinholes; keep the largest part and others that are not small beside it (pairs of shoes).

    Args:
        mask: uint8 [H, W], 0 or 1.
        speck: what is thinner than so many pixels goes.
        smallest_part: of the largest part's area.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (speck, speck))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.isin(labels, 1 + np.flatnonzero(areas >= smallest_part * areas.max())).astype(np.uint8)
    holes, hole_labels, hole_stats, _ = cv2.connectedComponentsWithStats(1 - kept)
    for hole in range(1, holes):
        left, top, width, height, area = hole_stats[hole]
        touches = left == 0 or top == 0 or left + width == mask.shape[1] or top + height == mask.shape[0]
        if not touches and area < 0.004 * mask.size:
            kept[hole_labels == hole] = 1
    return kept


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks of 0 and 1; 0 if both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def _background_inside(mask: np.ndarray, distance: np.ndarray) -> float:
    """Share of the mask that has the background's colour in one piece: gaps between legs, carpet under a sleeve."""
    core = cv2.erode(mask, np.ones((5, 5), np.uint8))
    suspect = cv2.morphologyEx(
        ((core > 0) & (distance < 9)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    count, _, stats, _ = cv2.connectedComponentsWithStats(suspect)
    return float(stats[1:, cv2.CC_STAT_AREA].max() / max(mask.sum(), 1)) if count > 1 else 0.0


def score_terms(small: Small, mask: np.ndarray, agreement: float) -> dict[str, float]:
    """What speaks for a mask, each in [0, 1]; the thresholds were set on 150 photos by eye (docs/LOG.md)."""
    shape = shape_terms(mask)
    if "garment size" in shape:
        return shape
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = np.concatenate([contour[:, 0] for contour in contours])
    near_border = (
        (outline[:, 0] <= 3) | (outline[:, 1] <= 3)
        | (outline[:, 0] >= mask.shape[1] - 4) | (outline[:, 1] >= mask.shape[0] - 4)
    ).mean()  # fmt: skip
    return {
        "agreement of three starts": ramp(agreement, 0.6, 0.97),
        "edge contrast": ramp(_edge_contrast(small.lab, mask), 5, 16),
        "touches the picture's border": 1 - ramp(float(near_border), 0.01, 0.08),
        "background inside": 1 - ramp(_background_inside(mask, small.distance), 0.02, 0.08),
    } | shape


def shape_terms(mask: np.ndarray, *, min_area: float = 0.04) -> dict[str, float]:
    """What the outline alone says for a mask (uint8 0/1), each in [0, 1]; {"garment size": 0} if it is no size."""
    if not min_area < mask.mean() < 0.85:
        return {"garment size": 0.0}
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull_area = sum(cv2.contourArea(cv2.convexHull(contour)) for contour in contours)
    perimeter = sum(cv2.arcLength(contour, True) for contour in contours)
    hull_perimeter = sum(cv2.arcLength(cv2.convexHull(contour), True) for contour in contours)
    return {
        "ragged outline": 1 - ramp(perimeter / max(hull_perimeter, 1), 1.55, 2.3),
        "solidity": ramp(float(mask.sum()) / max(hull_area, 1), 0.35, 0.6),
    }


def _edge_contrast(lab: np.ndarray, mask: np.ndarray) -> float:
    """30th percentile, along the outline, of the Lab distance between the ring inside and the ring outside."""
    kernel = np.ones((7, 7), np.uint8)
    values = lab.astype(np.float32) * np.float32([100 / 255, 1, 1])
    inner, outer = mask - cv2.erode(mask, kernel), cv2.dilate(mask, kernel) - mask

    def ring_mean(ring: np.ndarray) -> np.ndarray:
        weight = cv2.boxFilter(ring.astype(np.float32), -1, (13, 13), normalize=False)
        total = cv2.boxFilter(values * ring[..., None], -1, (13, 13), normalize=False)
        return total / np.maximum(weight, 1e-3)[..., None]

    distance = np.linalg.norm(ring_mean(inner) - ring_mean(outer), axis=-1)
    edge = (cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0) & (outer + inner > 0)
    return float(np.percentile(distance[edge], 30)) if edge.any() else 0.0


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def refine(image: np.ndarray, mask: np.ndarray, *, speck: int = 5, smallest_part: float = 0.25) -> np.ndarray:
    """Bring the small mask to full size and let the photo's edges decide within a few pixels (guided filter)."""
    height, width = image.shape[:2]
    coarse = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    radius, epsilon = max(3, round(0.012 * max(height, width))), 2e-4

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_mask = mean(guide), mean(coarse)
    slope = (mean(guide * coarse) - mean_guide * mean_mask) / (mean(guide * guide) - mean_guide**2 + epsilon)
    offset = mean_mask - slope * mean_guide
    filtered = mean(slope) * guide + mean(offset)
    blended = cv2.GaussianBlur(0.5 * filtered + 0.5 * coarse, (0, 0), 1.2)
    return keep_garment((blended > 0.5).astype(np.uint8), speck=speck, smallest_part=smallest_part) * 255


def rembg_mask(image: np.ndarray, model: str = "") -> GarmentMask:
    """Mask by the optional package rembg.

    Args:
        image: uint8 [H, W, 3] RGB.
        model: path of an .onnx file of U-2-Net's kind, or a name that rembg knows (its weights are fetched, or read
            from its folder); "" = u2net, since rembg's own default is licensed for non-commercial use only.

    Raises:
        ImportError: if rembg is not installed, with the command that installs it.
        ValueError: if the model cannot be loaded.
    """
    try:
        from rembg import remove  # optional and heavy: only who asks for it pays
    except ImportError as error:
        raise ImportError("--segmenter rembg needs the package rembg: pip install 'rembg[cpu]'") from error
    found = np.asarray(remove(image, session=_rembg_session(model), only_mask=True))
    mask = keep_garment((found > 127).astype(np.uint8))
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    terms = score_terms(Small(image, lab, _distance_to_border_colours(lab)), mask, 1.0)
    return GarmentMask(mask * 255, float(np.prod(list(terms.values()))), min(terms, key=terms.get))


@cache
def _rembg_session(model: str):  # noqa: ANN202 - a class of the optional package
    import onnxruntime
    from rembg import new_session
    from rembg.sessions.u2net_custom import U2netCustomSession

    class LocalSession(U2netCustomSession):
        """rembg itself loads files from its own folder only."""

        @classmethod
        def download_models(cls, *args: object, **kwargs: object) -> str:
            return model

    if model.endswith(".onnx") and not Path(model).is_file():
        raise ValueError(f"--segmenter_model {model} does not exist. Give an .onnx file, or a model that rembg knows.")
    bad_file = onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf
    try:
        if model.endswith(".onnx"):
            return LocalSession("u2net_custom", onnxruntime.SessionOptions(), model_path=model)
        return new_session(model or "u2net")
    except (OSError, ValueError, RuntimeError, bad_file) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"--segmenter_model {model or 'u2net'} cannot be loaded ({reason}). Give a path of an .onnx file, or a name"
            " that rembg knows and can fetch."
        ) from error
