"""Cut a garment out of its photo and set it in the middle of the flat ground.

In: photo uint8 [H, W, 3] and mask uint8 [H, W]. Out: picture and mask of 512 x 384. Aspect ratio is kept.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH

FILL = 0.88  # share of the picture's height or width, whichever binds, that the garment takes


def place_garment(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre the masked garment on grey 246.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W], 255 = garment; not empty.

    Returns:
        uint8 [512, 384, 3] picture and uint8 [512, 384] mask (0 or 255). The outermost pixel of the garment is
        dropped, since it mixes with the photo's background.
    """
    left, top, width, height = cv2.boundingRect(mask)
    scale = FILL * min(IMAGE_HEIGHT / height, IMAGE_WIDTH / width)
    centre_x, centre_y = left + (width - 1) / 2, top + (height - 1) / 2  # OpenCV's whole numbers are pixel centres
    matrix = np.float32(
        [[scale, 0, (IMAGE_WIDTH - 1) / 2 - scale * centre_x], [0, scale, (IMAGE_HEIGHT - 1) / 2 - scale * centre_y]]
    )
    if scale < 0.75:  # warpAffine does not average; smooth first so that fine weaves do not alias
        image = cv2.GaussianBlur(image, (0, 0), 0.5 / scale)
    size = (IMAGE_WIDTH, IMAGE_HEIGHT)
    placed = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.warpAffine(mask.astype(np.float32) / 255, matrix, size, flags=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), max(1.2, 0.9 * scale))
    alpha = np.clip((soft - 0.68) / 0.28, 0, 1)[..., None]  # starts inside the mask: no fringe of the background
    picture = placed * alpha + np.float32(GROUND) * (1 - alpha)
    return picture.round().astype(np.uint8), np.where(alpha[..., 0] > 0.5, 255, 0).astype(np.uint8)
