"""What a repaint must keep, put back into the latents at every step and into the picture at the end.

In: a picture, or its latents, and a mask. Out: the same. A model that was only ever asked to fill whole outlines does
not continue half a garment: given the rest of a navy shirt it paints a red sleeve pale and blotched. So it draws the
whole design, and what is to stay takes the place of its own outside the mask while it draws (blended latent diffusion:
Avrahami, Fried, Lischinski 2023, algorithm 1), which makes the part follow the words and sit in its garment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from diffusers import SchedulerMixin


@dataclass(frozen=True, eq=False)
class Known:
    """Pictures' scaled latents [N, C, h, w], float32, and where to repaint, [N, 1, h, w] with 1 = repaint."""

    latents: torch.Tensor
    mask: torch.Tensor

    @classmethod
    def together(cls, each: Sequence[Known | None]) -> Known | None:
        """One for designs that are drawn at once; those without are repainted everywhere."""
        some = next((one for one in each if one is not None), None)
        if some is None:
            return None
        free = cls(torch.zeros_like(some.latents), torch.ones_like(some.mask))
        parts = [one or free for one in each]
        return cls(torch.cat([one.latents for one in parts]), torch.cat([one.mask for one in parts]))

    def put_back(
        self, latents: torch.Tensor, noise: torch.Tensor, scheduler: SchedulerMixin, *, number: int
    ) -> torch.Tensor:
        """Latents [B, C, h, w] after step `number` (from 0), with the known part at the noise level of the next."""
        following = scheduler.timesteps[number + 1 : number + 2]
        kept = scheduler.add_noise(self.latents, noise, following) if len(following) else self.latents
        return self.mask * latents + (1 - self.mask) * kept


def keep_outside(picture: np.ndarray, image: np.ndarray | None, mask: np.ndarray | None) -> np.ndarray:
    """Put back what the mask does not repaint, with a soft seam of a few pixels."""
    if image is None or mask is None:
        return picture
    soft = cv2.GaussianBlur(cv2.dilate((mask > 0.5).astype(np.float32), np.ones((5, 5))), (0, 0), 1.5)
    soft = np.where(mask > 0.5, np.maximum(soft, 0.5), soft)[..., None]
    return (picture * soft + image * (1 - soft)).round().astype(np.uint8)
