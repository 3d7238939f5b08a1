"""GarmentPipeline: sketch, words and mask in, garment pictures out.

In: a `DesignRequest`, or the usual arguments of a diffusers pipeline. Out: `StepDone` and `Design`, one candidate
after the other, so that a page can show each as it comes and stop between two steps; a small UNet takes its steps for
several candidates at once. Knows nothing of weeks, ranks or pages. Conditioning and joint guidance are those of
Multimodal Garment Designer (Baldrati et al. 2023, section 3).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DiffusionPipeline, ImagePipelineOutput, UNet2DConditionModel
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH, DrawingDefaults, GenerateConfig
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.adapters import merge_adapter
from fashiondistill.diffusion.checkpoints import verify
from fashiondistill.diffusion.conditioning import ChannelLayout, Conditioning, latent_mask, latent_sketch, predict
from fashiondistill.diffusion.faster import make_faster
from fashiondistill.diffusion.past import Past
from fashiondistill.diffusion.region import garment_region
from fashiondistill.diffusion.repaint import Known, keep_outside
from fashiondistill.diffusion.trend import FOLDER, TrendEncoder, load_trend_encoder
from fashiondistill.images import from_model, to_model

TOGETHER = 2  # candidates a step: four pass on two cores soonest, but two show the first one earlier (docs/LOG.md)
SMALL_UNET = 100e6  # parameters; a larger one gains nothing by company, and its first candidate would come late
NUM_CACHED = 8  # masked pictures whose latents are kept, 100 kB each: the same sketch is drawn again and again


@dataclass(frozen=True)
class StepDone:
    """Candidates `index` (from 0) to `index + count - 1` have `step` of `total_steps` denoising steps behind them."""

    index: int
    step: int
    total_steps: int
    count: int = 1


class GarmentPipeline(DiffusionPipeline):
    """A diffusers pipeline (save_pretrained, from_pretrained) over a UNet with mask, masked image, pose and sketch.

    Args:
        vae, text_encoder, tokenizer, unet, scheduler: as in Stable Diffusion.
        fold: side of the latent blocks that the UNet takes as one token; 1 = as in Stable Diffusion.
        pose_channels, sketch_channels: extra input channels of the UNet; see `latent_sketch` for more than one.
        mask_from_outline: a sketch given without picture and mask is painted on the flat ground, inside its outline (if
            that is closed), instead of on an empty page; for models that were trained so. With picture and mask the
            whole outline is drawn too, and what the mask leaves out is put back; see `repaint`.
        num_inference_steps, guidance_scale, live_steps: how this model wants to be drawn with; 0 = as
            `config.DrawingDefaults`. They travel in model_index.json.

    Raises:
        ValueError: if the UNet's channels are not those of the layout.
    """

    model_cpu_offload_seq = "text_encoder->unet->vae"

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        fold: int = 1,
        pose_channels: int = 0,
        sketch_channels: int = 1,
        mask_from_outline: bool = False,
        num_inference_steps: int = 0,
        guidance_scale: float = 0,
        live_steps: int = 0,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler)
        self.register_to_config(
            fold=fold,
            pose_channels=pose_channels,
            sketch_channels=sketch_channels,
            mask_from_outline=mask_from_outline,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            live_steps=live_steps,
        )
        self.defaults = DrawingDefaults.of(self.config)
        channels = vae.config.latent_channels
        self.layout = ChannelLayout(
            latents=channels, masked_image=channels, pose=pose_channels, sketch=sketch_channels, fold=fold
        )
        self.layout.check(unet.config)
        self.model_id = "unsaved"
        self._masked_latents: dict[tuple, torch.Tensor] = {}  # of the last pictures and masks that were encoded
        self.trend: TrendEncoder | None = None

    @property
    def settings(self) -> dict:
        """What the constructor was given beside the models, to make the same pipeline of other ones."""
        names = ("fold", "pose_channels", "sketch_channels", "mask_from_outline")
        return {name: self.config[name] for name in (*names, *DrawingDefaults.__dataclass_fields__)}

    def check_prompt(self, prompt: str) -> None:
        """Raise ValueError if the prompt has more tokens than the text encoder takes; names both counts."""
        count = len(self.tokenizer(prompt, verbose=False).input_ids)  # no second message beside ours
        limit = self.tokenizer.model_max_length
        if count > limit:
            raise ValueError(
                f"prompt has {count} tokens, the text encoder takes {limit}. Shorten it; nothing is cut off."
            )

    @torch.no_grad()
    def encode_prompt(self, prompt: str) -> torch.Tensor:
        """Text states [1, 77, D].

        Raises:
            ValueError: if the prompt is over the encoder's length.
        """
        self.check_prompt(prompt)
        limit = self.tokenizer.model_max_length
        ids = self.tokenizer(prompt, padding="max_length", max_length=limit, return_tensors="pt").input_ids
        return self.text_encoder(ids.to(self.device)).last_hidden_state

    @torch.no_grad()
    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [B, 3, H, W] in [-1, 1] -> scaled latents [B, C, H / 8, W / 8], the posterior's mean."""
        return self.vae.encode(pixels.to(self.device, self.vae.dtype)).latent_dist.mean * self.vae.config.scaling_factor

    def encode_masked(self, image: np.ndarray | None, mask: np.ndarray | None, size: tuple[int, int]) -> torch.Tensor:
        """Scaled latents [1, C, H / 8, W / 8] of a picture whose masked part is grey; without one, of grey alone.

        The last few are kept: another seed, other words or a live frame after Generate ask for the same again.
        """
        repaint = np.ones(size, bool) if mask is None else mask > 0.5
        said = hashlib.blake2b(np.packbits(repaint).tobytes())
        if image is not None:
            said.update(np.ascontiguousarray(image))
        key = (said.digest(), size, str(self.device), self.vae.dtype)
        if key not in self._masked_latents:
            pixels = np.zeros((3, *size), np.float32) if image is None else to_model(image)
            while len(self._masked_latents) >= NUM_CACHED:
                self._masked_latents.pop(next(iter(self._masked_latents)))
            self._masked_latents[key] = self.encode_image(torch.from_numpy(pixels * ~repaint)[None])
        return self._masked_latents[key]

    @torch.no_grad()
    def decode_latents(self, latents: torch.Tensor) -> np.ndarray:
        """Scaled latents [B, C, h, w] -> uint8 [B, 8 h, 8 w, 3]."""
        scaled = (latents / self.vae.config.scaling_factor).to(self.vae.dtype)
        pixels = self.vae.decode(scaled.contiguous(memory_format=torch.channels_last)).sample
        return from_model(pixels.float().cpu().numpy())

    def canvas(
        self, sketch: np.ndarray, image: np.ndarray | None, mask: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The picture that the model is told to paint into, and where; see `mask_from_outline`."""
        if self.config.mask_from_outline and (image is None) == (mask is None):
            region = garment_region(sketch)
            if region is not None:
                return np.full((*sketch.shape, 3), GROUND, np.uint8), region
        return image, mask

    def known(self, image: np.ndarray | None, mask: np.ndarray | None, told: np.ndarray | None) -> Known | None:
        """What must be kept of a picture, if the model was told another mask than that of the request."""
        if image is None or mask is None or mask is told:
            return None
        repaint = latent_mask(torch.from_numpy((mask > 0.5).astype(np.float32))[None, None])
        latents = self.encode_image(torch.from_numpy(to_model(image))[None])
        return Known(latents.float(), repaint.to(self.device))

    def condition(
        self,
        prompt: str,
        sketch: np.ndarray,
        image: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        past: Past | None = None,
    ) -> Conditioning:
        """Conditions of one design (batch of 1); sizes as in `DesignRequest`.

        Raises:
            ValueError: if a past is given to a model without a trend encoder.
        """
        if past is not None and self.trend is None:
            raise ValueError(f"past is given, but the model {self.model_id} has no trend encoder: leave it out.")
        trend, seen = past.tokens(self.trend) if past is not None else (None, None)
        size = sketch.shape
        repaint = (
            torch.ones(1, 1, *size) if mask is None else torch.from_numpy((mask > 0.5).astype(np.float32))[None, None]
        )
        strokes = torch.from_numpy(np.ascontiguousarray(sketch, np.float32))[None, None]
        channels = self.config.pose_channels
        height, width = size[0] // 8, size[1] // 8
        conditioning = Conditioning(
            encoder_hidden_states=self.encode_prompt(prompt),
            mask=latent_mask(repaint),
            masked_latents=self.encode_masked(image, mask, size),
            pose=torch.zeros(1, channels, height, width) if channels else None,
            sketch=latent_sketch(strokes, self.layout.sketch) if self.layout.sketch else None,
            trend=trend,
            trend_seen=seen,
        )
        return conditioning.to(self.device, self.unet.dtype)

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


def candidate_generator(seed: int, index: int) -> torch.Generator:
    """Where the noise of candidate `index` comes from: the same on every device, whatever the number of candidates."""
    key = int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(key)


def candidate_noise(seed: int, index: int, channels: int = 4) -> torch.Tensor:
    """Noise [1, channels, 64, 48] of candidate `index`; see `candidate_generator`."""
    generator = candidate_generator(seed, index)
    return torch.randn(1, channels, IMAGE_HEIGHT // 8, IMAGE_WIDTH // 8, generator=generator)


def load_pipeline(folder: Path, device: str = "auto") -> GarmentPipeline:
    """Check and load a pipeline folder.

    Args:
        folder: diffusers layout with safetensors weights.
        device: "cpu", "cuda", or "auto" (cuda if there is one).

    Raises:
        FileNotFoundError, ValueError: naming the missing, damaged or pickled file; see `checkpoints.verify`.
    """
    model_id = verify(folder)
    device, dtype = _place(device)
    try:
        pipeline = GarmentPipeline.from_pretrained(
            folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())  # some of diffusers' messages have several lines
        raise ValueError(f"model: {folder} cannot be loaded ({reason}). Restore or replace the folder.") from error
    prepare(pipeline, device)
    if (folder / FOLDER).is_dir():
        pipeline.trend = load_trend_encoder(folder / FOLDER).to(device).eval().requires_grad_(False)
    pipeline.model_id = f"{folder.name}-{model_id}"
    return pipeline


def prepare(pipeline: GarmentPipeline, device: str) -> GarmentPipeline:
    """The same pipeline, frozen and in the form that draws fastest on a device."""
    device, dtype = _place(device)
    pipeline.to(device)
    if pipeline.dtype != dtype:  # else diffusers warns of a cast that casts nothing
        pipeline.to(dtype)
    for module in (pipeline.unet, pipeline.vae):
        module.to(memory_format=torch.channels_last)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.eval().requires_grad_(False)
    if device == "cpu":
        for module in (pipeline.unet, pipeline.vae):
            make_faster(module)
    return pipeline


def add_lora(pipeline: GarmentPipeline, path: Path) -> None:
    """Add a LoRA into the UNet's weights; see `adapters.merge_adapter`."""
    merge_adapter(pipeline.unet, path)
    pipeline.model_id += f"+{path.name}"


def _place(device: str) -> tuple[str, torch.dtype]:
    """Device and number format to draw with."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return device, torch.bfloat16 if device == "cuda" or cpu_has_bf16() else torch.float32


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; emulated, it would be slower than float32."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8") if os.path.exists(cpuinfo) else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags
