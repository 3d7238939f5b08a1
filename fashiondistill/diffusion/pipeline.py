"""GarmentPipeline: sketch, words and mask in, garment pictures out.

In: a `DesignRequest`, or the usual arguments of a diffusers pipeline. Out: `StepDone` and `Design`, one candidate
after the other, so that a page can show each as it comes and stop between two steps; a small UNet takes its steps for
several candidates at once. Knows nothing of weeks, ranks or pages. Conditioning and joint guidance are those of
Multimodal Garment Designer (Baldrati et al. 2023, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput
from PIL import Image

from fashiondistill.config import GenerateConfig
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.conditioning import Conditioning, predict
from fashiondistill.diffusion.encoding import EncodingPipeline
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.past import Past
from fashiondistill.diffusion.repaint import Known, keep_outside
from fashiondistill.images import to_model

TOGETHER = 2  # candidates a step: four pass on two cores soonest, but two show the first one earlier (docs/LOG.md)
SMALL_UNET = 100e6  # parameters; a larger one gains nothing by company, and its first candidate would come late


@dataclass(frozen=True)
class StepDone:
    """Candidates `index` (from 0) to `index + count - 1` have `step` of `total_steps` denoising steps behind them."""

    index: int
    step: int
    total_steps: int
    count: int = 1


class GarmentPipeline(EncodingPipeline):
    """A diffusers pipeline (save_pretrained, from_pretrained) over a UNet with mask, masked image, pose and sketch.

    What it is made of: see `EncodingPipeline`.
    """

    @torch.no_grad()
    def denoise(
        self,
        noise: torch.Tensor,
        conditioning: Conditioning,
        null_states: torch.Tensor | None,
        *,
        num_inference_steps: int,
        guidance_scale: float,
        sketch_influence: float = 1.0,
        start: torch.Tensor | None = None,
        strength: float = 1.0,
        known: Known | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield the latents [B, C, h, w] after each step, from `noise` of the same shape.

        With `start`, latents of that shape, only the last share `strength` of the steps is taken, from them under as
        much noise as belongs there (SDEdit, Meng et al. 2022).

        Guidance v = v_0 + s (v_c - v_0) drops text, sketch and pose together and keeps the mask inputs (Ho and
        Salimans 2022, equation 6); s = 1 needs no second pass and no `null_states`. From step `sketch_influence` x
        steps on, the sketch is not seen any more.
        """
        scheduler = self.scheduler.from_config(self.scheduler.config)  # stateful, so each candidate gets its own
        scheduler.set_timesteps(num_inference_steps, device=self.device)
        noise = noise.to(self.device, torch.float32)
        skipped = 0 if start is None else num_inference_steps - num_steps_of(strength, num_inference_steps)
        latents = noise * scheduler.init_noise_sigma
        if start is not None:
            latents = scheduler.add_noise(start.to(latents), noise, scheduler.timesteps[skipped : skipped + 1])
        count = len(latents)
        unconditional = None
        if guidance_scale != 1:
            everywhere = torch.ones(count, dtype=torch.bool, device=self.device)
            unconditional = conditioning.without(everywhere, null_states)
        last_sketch_step = round(sketch_influence * num_inference_steps)
        for number, timestep in enumerate(scheduler.timesteps[skipped:], start=skipped):
            if number == max(last_sketch_step, skipped) and conditioning.sketch is not None:
                conditioning = replace(conditioning, sketch=torch.zeros_like(conditioning.sketch))
            inputs = scheduler.scale_model_input(latents, timestep).to(self.unet.dtype)
            if unconditional is None:
                output = predict(self.unet, self.layout, inputs, timestep, conditioning).float()
            else:
                both = unconditional.cat(conditioning)
                halves = predict(self.unet, self.layout, torch.cat([inputs, inputs]), timestep, both).float().chunk(2)
                output = halves[0] + guidance_scale * (halves[1] - halves[0])
            latents = scheduler.step(output, timestep, latents, return_dict=False)[0]
            if known is not None:
                latents = known.put_back(latents, noise, scheduler, number=number)
            yield latents

    def stream(self, request: DesignRequest, past: Past | None = None) -> Iterator[StepDone | Design]:
        """Draw the candidates of a request; closing the iterator stops before the next step.

        A small UNet takes each step for up to `TOGETHER` candidates at once, then they are decoded one by one. A
        candidate drawn in company differs from the same one drawn alone by rounding only.

        Args:
            past: what sold in the weeks before, for a model with a trend encoder; None = drawn without trend tokens.

        Raises:
            ValueError: if the prompt is too long.
        """
        config = request.config
        image, mask = self.canvas(request.sketch, request.image, request.mask)
        conditioning = self.condition(request.prompt, request.sketch, image, mask, past)
        known = self.known(request.image, request.mask, mask)
        kept = (image, mask) if request.mask is None else (request.image, request.mask)
        null_states = self.encode_prompt("").to(self.unet.dtype) if config.guidance_scale != 1 else None
        start, total = None, config.num_inference_steps
        if request.start is not None:
            start = self.encode_image(torch.from_numpy(to_model(request.start))[None]).float()
            total = num_steps_of(request.strength, total)
        for group in self._groups(config.num_candidates):
            noises = [candidate_noise(request.seed, index, self.layout.latents) for index in group]
            steps = self.denoise(
                torch.cat(noises),
                conditioning.expand(len(group)),
                null_states,
                num_inference_steps=config.num_inference_steps,
                guidance_scale=config.guidance_scale,
                sketch_influence=config.sketch_influence,
                start=start,
                strength=request.strength,
                known=known,
            )
            for step, latents in enumerate(steps, start=1):  # noqa: B007 - the last latents are decoded
                yield StepDone(group[0], step, total, len(group))
            # In one batch the pictures of full resolution would not fit the caches: 1.5 times slower (docs/LOG.md).
            for index, one in zip(group, latents.split(1), strict=True):
                yield Design(keep_outside(self.decode_latents(one)[0], *kept), index, request)

    def _groups(self, num_candidates: int) -> Iterator[range]:
        """Candidates that are drawn together."""
        size = TOGETHER if sum(weight.numel() for weight in self.unet.parameters()) <= SMALL_UNET else 1
        for first in range(0, num_candidates, size):
            yield range(first, min(first + size, num_candidates))

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        sketch: np.ndarray,
        image: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        sketch_influence: float = GenerateConfig.sketch_influence,
        generator: torch.Generator | list[torch.Generator] | None = None,
        callback_on_step_end: Callable[[DiffusionPipeline, int, int, dict], dict] | None = None,
    ) -> ImagePipelineOutput:
        """The diffusers way: one picture for each generator, all in one batch.

        Args:
            prompt: what to draw.
            sketch: [H, W] float in [0, 1], 1 = stroke; H and W multiples of 16 x fold.
            image, mask: picture to repaint (uint8 [H, W, 3]) and where (1 = repaint); both or none.
            num_inference_steps, guidance_scale: None = as the model says; see `defaults`.
            generator: one for each candidate; none = one candidate from the global random state.
            callback_on_step_end: called with (pipeline, step, timestep, {"latents"}) as in diffusers.

        Returns:
            PIL pictures.
        """
        if num_inference_steps is None:
            num_inference_steps = self.defaults.num_inference_steps
        if guidance_scale is None:
            guidance_scale = self.defaults.guidance_scale
        generators = generator if isinstance(generator, list) else [generator]
        told_image, told = self.canvas(sketch, image, mask)
        conditioning = self.condition(prompt, sketch, told_image, told).expand(len(generators))
        known = self.known(image, mask, told)
        kept = (told_image, told) if mask is None else (image, mask)
        shape = (1, self.layout.latents, sketch.shape[0] // 8, sketch.shape[1] // 8)
        noise = torch.cat([torch.randn(shape, generator=g, device=g.device if g else "cpu").cpu() for g in generators])
        steps = self.denoise(
            noise,
            conditioning,
            self.encode_prompt("").to(self.unet.dtype),
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            sketch_influence=sketch_influence,
            known=known,
        )
        with self.progress_bar(total=num_inference_steps) as bar:
            for step, latents in enumerate(steps):
                bar.update()
                if callback_on_step_end is not None:
                    callback_on_step_end(self, step, num_inference_steps - step - 1, {"latents": latents})
        pictures = [keep_outside(picture, *kept) for picture in self.decode_latents(latents)]
        return ImagePipelineOutput(images=[Image.fromarray(picture) for picture in pictures])


def num_steps_of(strength: float, num_inference_steps: int) -> int:
    """Steps that a variation takes: at least one."""
    return max(1, round(strength * num_inference_steps))
