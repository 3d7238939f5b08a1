"""The same three pieces as the published scripts do them, to be timed on the same card with the same weights.

Published (COMPAT.md, 1.1 to 1.2): latents and words encoded in every step, batches of 2 at most and single pairs, each
candidate drawn alone, made a PIL picture, scored alone and encoded again; winner and loser in passes of their own, a
second UNet as the reference. Where the published code is slower for no reason that a user chose (a reference outside
autocast, a pipeline built anew for each prompt), the faster form stands here. Number format as ours.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from benchmarks.trainingcases import PROMPT, FullFineTune, LoraDpo, OnlineRounds
from fashiondistill.diffusion.conditioning import Conditioning, predict

PUBLISHED_BATCH = 2


class Plain:
    """What the three have in common: a pipeline in memory, pictures as PIL, nothing kept between steps.

    Args:
        case: whose models are used; the UNet is copied, in its plain memory format.
        train_all: train every weight, as published, also where ours trains a LoRA.
    """

    def __init__(self, case: FullFineTune | LoraDpo | OnlineRounds, image_size: tuple[int, int]) -> None:
        self.pipeline, self.world, self.config = case.models.pipeline, case.world, case.config
        self.layout, self.alphas, self.size = case.models.layout, case.models.alphas, image_size
        self.pipeline.vae.to(memory_format=torch.contiguous_format)
        self.unet = copy.deepcopy(case.models.unet).to(memory_format=torch.contiguous_format).train()
        if case.models.adapter is None:
            self.unet.requires_grad_(True)
        trained = [p for p in self.unet.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=False)
        self.picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (*image_size, 3), np.uint8))
        self.sketch = np.random.default_rng(1).random(image_size).astype(np.float32)

    def encoded(self, picture: Image.Image) -> torch.Tensor:
        """PIL -> latents."""
        pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with self.world.autocast():
            return self.pipeline.encode_image(pixels).float()

    def conditions(self) -> Conditioning:
        """Words, mask and masked picture encoded anew."""
        with self.world.autocast():
            mask = np.ones(self.size, np.float32)
            return self.pipeline.condition(PROMPT, self.sketch, np.asarray(self.picture), mask)

    def error(self, unet: torch.nn.Module, latents: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """Mean squared error at a random timestep."""
        noise = torch.randn_like(latents)
        timesteps = torch.randint(len(self.alphas), (len(latents),), device=latents.device)
        kept = self.alphas[timesteps].view(-1, 1, 1, 1)
        noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
        with self.world.autocast():
            return (predict(unet, self.layout, noisy, timesteps, conditioning).float() - noise).square().mean()

    def update(self, loss: torch.Tensor) -> None:
        """Backward, clip, step, and read the loss as the published loop does."""
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        loss.item()


class PlainFineTune(Plain):
    """Encode two pictures with words and masked pictures, then one update."""

    items = PUBLISHED_BATCH

    def once(self) -> None:
        """One update."""
        conditions = [self.conditions() for _ in range(self.items)]
        latents = torch.cat([self.encoded(self.picture) for _ in range(self.items)])
        self.update(self.error(self.unet, latents, conditions[0].cat(conditions[1])))


class PlainPairs(Plain):
    """One pair of PIL pictures, four passes one after the other."""

    items = 1

    def __init__(self, case: LoraDpo | OnlineRounds, image_size: tuple[int, int]) -> None:
        super().__init__(case, image_size)
        self.reference = copy.deepcopy(self.unet).eval().requires_grad_(False)

    def pair(self, winner: Image.Image, loser: Image.Image) -> None:
        """Diffusion-DPO of one pair."""
        conditioning, changes = self.conditions(), []
        for picture in (winner, loser):
            latents = self.encoded(picture)
            with torch.no_grad():
                reference = self.error(self.reference, latents, conditioning)
            changes.append(self.error(self.unet, latents, conditioning) - reference)
        self.update(-F.logsigmoid(-1000.0 * (changes[0] - changes[1])))

    def once(self) -> None:
        """One pair."""
        self.pair(self.picture, self.picture)


class PlainRounds(PlainPairs):
    """Four candidates one at a time, each through PIL to CLIP, then one pair."""

    def __init__(self, case: OnlineRounds, image_size: tuple[int, int]) -> None:
        super().__init__(case, image_size)
        self.scorer, self.targets = case.scorer, case.targets.cpu().numpy()

    def once(self) -> None:
        """One round of one prompt."""
        drawn, scores = [], []
        for _ in range(self.config.num_candidates):
            noise = torch.randn(1, self.layout.latents, self.size[0] // 8, self.size[1] // 8)
            with self.world.autocast():
                for latents in self.pipeline.denoise(  # noqa: B007 - the last ones are wanted
                    noise,
                    self.conditions(),
                    self.pipeline.encode_prompt(""),
                    num_inference_steps=self.config.num_inference_steps,
                    guidance_scale=self.config.guidance_scale,
                ):
                    pass
                picture = Image.fromarray(self.pipeline.decode_latents(latents)[0])
            image = self.scorer.embed_images([np.asarray(picture)])[0]
            words = self.scorer.embed_texts([PROMPT])[0]
            drawn.append(picture)
            scores.append(0.6 * float((self.targets @ image).mean()) + 0.4 * float(image @ words))
        self.pair(drawn[int(np.argmax(scores))], drawn[int(np.argmin(scores))])
