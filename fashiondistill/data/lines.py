"""Garment picture + mask -> line sketch that looks like a designer's flat: smooth closed outline, seams, folds.

In: uint8 [H, W, 3] RGB and uint8 [H, W] mask. Out: uint8 [H, W], bright strokes on black as published.
Inner lines are a flow-based difference of Gaussians (FDoG: Kang, Lee, Chui, "Flow-Based Image Abstraction", TVCG
2009, section 3) with hysteresis and a length filter. Busy prints would drown the drawing, so the picture is
smoothed harder until ink falls below `MAX_INK`.
"""

from __future__ import annotations

import cv2
import numpy as np

MAX_INK = 0.055  # share of the garment's inside covered by strokes; a drawn flat has 2 to 5 %
PRINT_INK = 0.02  # what is kept, longest strokes first, of a print that no smoothing brings under MAX_INK
SMOOTHING = (0, 2, 4)  # rounds of bilateral smoothing tried in turn
SIGMA_CENTRE, SIGMA_SURROUND, SURROUND_WEIGHT = 1.0, 1.6, 0.985
FLOW_STEPS = 5  # pixels followed each way along the flow


def draw_lines(image: np.ndarray, mask: np.ndarray, *, outline_width: float = 2.0) -> np.ndarray:
    """Sketch of the garment.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W], 255 = garment.
        outline_width: pixels.

    Returns:
        uint8 [H, W], 255 = stroke, 0 = paper.
    """
    inner = np.zeros(mask.shape, np.uint8)
    inside = cv2.erode((mask > 0).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    area = max(int(inside.sum()), 1)
    lightness = _stretched_lightness(image, inside)
    done = 0
    for rounds in SMOOTHING:
        for _ in range(rounds - done):
            lightness = cv2.bilateralFilter(lightness, 9, 28, 5)
        done = rounds
        inner = _inner_lines(lightness, inside)
        if (inner > 96).sum() / area <= MAX_INK:
            break
    else:
        inner = _longest_lines(inner, int(PRINT_INK * area))
    return np.maximum(inner, draw_outline(mask, width=outline_width))


def draw_outline(mask: np.ndarray, *, width: float = 2.0, smoothness: float = 2.5) -> np.ndarray:
    """The mask's outlines, smoothed along the contour (sigma in pixels) and drawn as closed antialiased strokes."""
    canvas = np.zeros(mask.shape, np.uint8)
    for points in smooth_contours(mask, smoothness=smoothness):
        fixed = np.round(points * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], True, 255, max(1, round(width)), cv2.LINE_AA, shift=4)
    return canvas


def smooth_contours(mask: np.ndarray, *, smoothness: float = 2.5) -> list[np.ndarray]:
    """Outer and inner contours of a mask as float [N, 2] (x, y), low-passed along their length."""
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    result = []
    for contour in contours:
        points = contour[:, 0].astype(np.float64)
        if len(points) < 24:
            continue
        frequency = np.fft.fftfreq(len(points))
        gain = np.exp(-2 * (np.pi * smoothness * frequency) ** 2)  # Gaussian of sigma = smoothness pixels
        path = np.fft.ifft(np.fft.fft(points[:, 0] + 1j * points[:, 1]) * gain)
        result.append(np.stack([path.real, path.imag], 1))
    return result


def _stretched_lightness(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Lightness with the garment's own range widened, up to threefold: seams on black cloth span a few levels only."""
    lightness = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    if not inside.any():
        return lightness.astype(np.uint8)
    low, middle, high = np.percentile(lightness[inside > 0], (3, 50, 97))
    gain = np.clip(90 / max(high - low, 1), 1, 3)
    stretched = np.where(inside > 0, 128 + gain * (lightness - middle), 128)
    return stretched.clip(0, 255).astype(np.uint8)


def _inner_lines(lightness: np.ndarray, inside: np.ndarray) -> np.ndarray:
    response = _flow_dog(lightness.astype(np.float32) / 255)
    response[inside == 0] = 0
    strong, weak = response > 0.028, response > 0.010
    count, labels, stats, _ = cv2.connectedComponentsWithStats(weak.astype(np.uint8), connectivity=8)
    has_strong = np.zeros(count, bool)
    has_strong[np.unique(labels[strong])] = True
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    keep = has_strong & (extent >= 0.04 * lightness.shape[0])
    keep[0] = False
    ink = np.clip(response / 0.035, 0, 1) ** 0.7 * keep[labels]
    soft = cv2.GaussianBlur(ink.astype(np.float32), (0, 0), 0.6) * 1.25
    return (soft.clip(0, 1) * 255).astype(np.uint8)


def _flow_dog(grey: np.ndarray) -> np.ndarray:
    """FDoG response, positive on dark lines and on the dark side of edges; [H, W] float32 in lightness units."""
    tangent_x, tangent_y = _tangents(grey)
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]].astype(np.float32)
    total = np.zeros_like(grey)
    reach = 4
    offsets = np.arange(-reach, reach + 1)
    weights = _gauss(offsets, SIGMA_CENTRE) - SURROUND_WEIGHT * _gauss(offsets, SIGMA_SURROUND)
    for offset, weight in zip(offsets, weights, strict=True):  # across the flow, TVCG 2009 equation 6
        sample_x, sample_y = columns - float(offset) * tangent_y, rows + float(offset) * tangent_x
        total += np.float32(weight) * cv2.remap(
            grey, sample_x, sample_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
    return -_along_flow(total, tangent_x, tangent_y)


def _along_flow(values: np.ndarray, tangent_x: np.ndarray, tangent_y: np.ndarray) -> np.ndarray:
    """Gaussian average along the flow lines, followed by Euler steps of one pixel (TVCG 2009 equation 9)."""
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]].astype(np.float32)
    total, weight_sum = values.copy(), 1.0
    for direction in (1, -1):
        x, y = columns.copy(), rows.copy()
        last_x, last_y = tangent_x * direction, tangent_y * direction
        for step in range(1, FLOW_STEPS + 1):
            x, y = x + last_x, y + last_y
            weight = float(np.exp(-0.5 * (step / 2.5) ** 2))
            total += weight * cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            weight_sum += weight
            next_x = cv2.remap(tangent_x, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            next_y = cv2.remap(tangent_y, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            sign = np.where(next_x * last_x + next_y * last_y < 0, -1, 1).astype(np.float32)
            last_x, last_y = next_x * sign, next_y * sign
    return total / weight_sum


def _tangents(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the edges: minor eigenvector of the smoothed structure tensor."""
    blurred = cv2.GaussianBlur(grey, (0, 0), 1.0)
    grad_x, grad_y = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), 2.0) for product in (grad_x**2, grad_y**2, grad_x * grad_y))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _gauss(offsets: np.ndarray, sigma: float) -> np.ndarray:
    values = np.exp(-0.5 * (offsets / sigma) ** 2)
    return values / values.sum()


def _longest_lines(lines: np.ndarray, max_pixels: int) -> np.ndarray:
    """Keep the longest strokes whose ink adds up to `max_pixels`."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((lines > 60).astype(np.uint8), connectivity=8)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) / np.sqrt(stats[:, cv2.CC_STAT_AREA])
    order = 1 + np.argsort(-extent[1:])
    spent = np.cumsum(stats[order, cv2.CC_STAT_AREA])
    keep = np.zeros(count, bool)
    keep[order[spent <= max_pixels]] = True
    return lines * keep[labels]
