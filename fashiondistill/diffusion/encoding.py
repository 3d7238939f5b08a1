"""The models of a pipeline, and what a design's conditions are made of.

In: words, a sketch, a picture with a mask, the past. Out: the UNet's `Conditioning`, and pictures from latents. Nothing
here takes a denoising step; `pipeline` does.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from diffusers import AutoencoderKL, DiffusionPipeline, UNet2DConditionModel
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.config import GROUND, DrawingDefaults
from fashiondistill.diffusion.conditioning import ChannelLayout, Conditioning, latent_mask, latent_sketch
from fashiondistill.diffusion.past import Past
from fashiondistill.diffusion.region import garment_region
from fashiondistill.diffusion.repaint import Known
from fashiondistill.diffusion.trend import TrendEncoder
from fashiondistill.images import from_model, to_model

NUM_CACHED = 8  # masked pictures whose latents are kept, 100 kB each: the same sketch is drawn again and again


class EncodingPipeline(DiffusionPipeline):
    """Models and settings of a `GarmentPipeline`, without its steps.

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
        guidance_scale: float = 0.0,
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
