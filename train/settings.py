"""Settings of temporal and preference training; flag names are the published ones where those exist.

In: flags. Out: frozen dataclasses that check themselves. Where a default is not the published one, docs/LOG.md says
why. Knows nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH, STARTER, option, require
from fashiondistill.diffusion.preference import KINDS, WITH_LOGIT

SIZE_UNIT = 16  # pixels: the autoencoder's 8, times the fold of the starter's UNet


@dataclass(frozen=True)
class TrainConfig:
    """What temporal and preference training share."""

    dataset_path: str = option("", "data set in the published layout (python -m fashiondistill.prepare hm)")
    output_dir: str = option("", "folder to write to; the same command again goes on from its last checkpoint")
    pretrained_model_name_or_path: str = option(
        str(STARTER), "what to start from: folder in diffusers' layout, hub id, or Stable Diffusion 1.5 as .safetensors"
    )
    unet: str = option("", "UNet weights (.safetensors, diffusers' names) in the place of the base's")
    pose_channels: int = option(-1, "pose inputs of the UNet, 0, 3 or 18; new ones begin at zero (-1 = as the base)")
    sketch_channels: int = option(-1, "sketch inputs of the UNet, 1, 4 or 16 (-1 = as the base, or 1 if it has none)")
    lora_rank: int = option(0, "train a LoRA of this rank instead of the whole UNet (0 = no; extra: lora)")
    lora_alpha: float = option(0.0, "the LoRA counts alpha / rank times (0 = as the rank)")
    lora_targets: tuple[str, ...] = option(
        ("to_q", "to_k", "to_v", "to_out.0"), "modules with a LoRA, by the end of their name", nargs="+"
    )
    clip: str = option("", "folder of the CLIP of trend and reward (open_clip layout; empty = clip/ of the model)")
    num_past_weeks: int = option(4, "weeks of the calendar to look back")
    temporal_weight_decay: float = option(0.8, "weight of a week over that of the week after it")
    temporal_loss_weight: float = option(0.05, "weight of the trend loss (0 = none)")
    temporal_loss: str = option(
        "set", "trend loss: distance between sets, or to the past's mean (documented form)", choices=("set", "mean")
    )
    categories: tuple[str, ...] = option((), "category folders to train on (none = all)", nargs="*")
    incomplete: str = option(
        "error", "what to do with pictures that lack a caption, sketch or mask", choices=("error", "leave_out")
    )
    shape: str = option("pad", "how other shapes become 512 x 384", choices=("pad", "pull"))
    image_size: tuple[int, ...] = option((IMAGE_HEIGHT, IMAGE_WIDTH), "height and width to train at", nargs=2)
    no_pose: bool = option(True, "pose channels, where the model has any, get zeros; data sets hold no poses")
    learning_rate: float = option(1e-5, "peak learning rate of AdamW, after warm-up")
    warmup_share: float = option(0.1, "share of --max_train_steps over which the learning rate rises")
    weight_decay: float = option(0.01, "of AdamW")
    max_grad_norm: float = option(1.0, "gradients are clipped to this norm")
    ema_decay: float = option(0.999, "of the averaged weights, which are what is exported")
    max_train_steps: int = option(5000, "updates in all")
    batch_size: int = option(2, "samples per process and micro-batch")
    gradient_accumulation_steps: int = option(1, "micro-batches per update")
    mixed_precision: str = option(
        "auto", "auto = bf16 on a GPU, no on a CPU; weights stay float32", choices=("auto", "no", "fp16", "bf16")
    )
    optimizer: str = option(
        "adamw", "AdamW, or with moments in 8 bits (GPU only; extra: adamw8bit)", choices=("adamw", "adamw8bit")
    )
    gradient_checkpointing: bool = option(False, "compute activations twice instead of keeping them: less memory")
    compile: bool = option(False, "torch.compile the UNet of training (about a minute once, then faster on a GPU)")
    fast_kernels: bool = option(
        False, "GPU: let cuDNN try its kernels and use TF32; the last digits may then differ from run to run"
    )
    num_workers: int = option(4, "processes that load cached samples; 0 = none beside this one")
    in_memory: bool = option(False, "keep cached samples in memory, about 150 kB a picture; goes with --num_workers 0")
    seed: int = option(42, "seed of everything that is drawn")
    noise_offset: float = option(0.1, "share of noise that is the same in all pixels of a channel")
    snr_gamma: float = option(5.0, "min-SNR clamp (Hang et al. 2023)")
    condition_dropout: float = option(0.1, "share of samples without text, sketch, pose and trend (for guidance)")
    trend_dropout: float = option(0.15, "share of samples without trend tokens")
    save_steps: int = option(500, "write a checkpoint every so many updates")
    keep_checkpoints: int = option(3, "newest checkpoints kept")
    resume_from_checkpoint: str = option(
        "", "checkpoint folder, latest, none (start anew), or a published .pth (weights only); empty = latest, if any"
    )
    sample_steps: int = option(0, "draw a grid of validation sketches every so many updates (0 = at the end only)")
    num_samples: int = option(8, "validation sketches in a grid, and predictions drawn at the end (0 = none)")
    num_inference_steps: int = option(20, "denoising steps of what is drawn")
    guidance_scale: float = option(2.0, "classifier-free guidance of what is drawn")
    cache_dir: str = option("", "latents, text states and embeddings (empty = cache/ in --output_dir)")
    device: str = option("auto", "where to train", choices=("auto", "cpu", "cuda"))
    use_wandb: bool = option(False, "log to Weights & Biases (extra: wandb)")
    use_tensorboard: bool = option(False, "log to TensorBoard files in --output_dir (extra: tensorboard)")
    project_name: str = option("temporal-mgd", "project of the trackers")

    def __post_init__(self) -> None:
        for name in ("dataset_path", "output_dir", "pretrained_model_name_or_path"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        for name in ("max_train_steps", "batch_size", "gradient_accumulation_steps", "save_steps", "keep_checkpoints"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        for name in ("num_workers", "seed", "sample_steps", "num_samples", "temporal_loss_weight", "noise_offset"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "choose 0 or more.")
        for name in ("learning_rate", "max_grad_norm", "snr_gamma"):
            require(0 < getattr(self, name) < float("inf"), name, getattr(self, name), "choose more than 0.")
        for name in ("condition_dropout", "trend_dropout", "ema_decay", "weight_decay", "warmup_share"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "choose 0 or more, below 1.")
        require(
            len(self.image_size) == 2 and all(side >= 64 and side % SIZE_UNIT == 0 for side in self.image_size),
            "image_size",
            self.image_size,
            f"give height and width as multiples of {SIZE_UNIT}, at least 64, for example 512 384.",
        )
        require(self.pose_channels in (-1, 0, 3, 18), "pose_channels", self.pose_channels, "choose -1, 0, 3 or 18.")
        sketches = (-1, 1, 4, 16)
        require(self.sketch_channels in sketches, "sketch_channels", self.sketch_channels, f"choose of {sketches}.")
        for name in ("lora_rank", "lora_alpha"):
            require(0 <= getattr(self, name) < float("inf"), name, getattr(self, name), "choose 0 or more.")
        require(self.lora_rank > 0 or not self.lora_alpha, "lora_alpha", self.lora_alpha, "give --lora_rank as well.")
        require(self.no_pose, "no_pose", self.no_pose, "data sets of the published layout hold no poses; leave it on.")
        require(self.num_inference_steps >= 2, "num_inference_steps", self.num_inference_steps, "choose at least 2.")
        require(1 <= self.guidance_scale <= 20, "guidance_scale", self.guidance_scale, "choose 1 to 20.")


def cache_folder(config: TrainConfig) -> Path:
    """Where latents, text states and embeddings are kept."""
    return Path(config.cache_dir) if config.cache_dir else Path(config.output_dir) / "cache"


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up over a share of the run, then constant."""
    warmup = max(1, round(config.warmup_share * config.max_train_steps))
    return config.learning_rate * min(1.0, (step + 1) / warmup)


@dataclass(frozen=True)
class TemporalConfig(TrainConfig):
    """Denoising with trend tokens and the trend loss."""

    trend_tokens: int = option(4, "cross-attention tokens that tell what sold in the past weeks (0 = none)")
    trend_lr_scale: float = option(
        10.0, "learning rate of the trend encoder, which starts from nothing, over that of the UNet"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.trend_tokens <= 64, "trend_tokens", self.trend_tokens, "choose 0 to 64.")
        scale = self.trend_lr_scale
        require(0 < scale < float("inf"), "trend_lr_scale", scale, "choose more than 0.")


@dataclass(frozen=True)
class DpoConfig(TrainConfig):
    """Preference training on candidates that the model draws in rounds and CLIP judges."""

    max_train_steps: int = option(1000, "updates in all")
    gradient_accumulation_steps: int = option(4, "micro-batches per update")
    batch_size: int = option(4, "pairs, and real images, per process and micro-batch")
    project_name: str = option("temporal-sd2-inpainting-dpo", "project of the trackers")
    preferences: str = option(
        "", "studio.sqlite or exported picks: pairs that designers chose, instead of candidates judged by CLIP"
    )
    preference_loss: str = option("dpo", "form of the preference loss", choices=KINDS)
    num_candidates: int = option(4, "candidates per prompt, 2 to 16")
    dpo_beta: float = option(0.0, "beta of Diffusion-DPO, typically 500 to 5000; 0 = calibrated while training")
    dpo_weight: float = option(0.5, "weight of the preference loss, scaled so that beta does not change its size")
    anchor_weight: float = option(0.1, "weight of the denoising and trend loss on real images")
    dpo_frequency: float = option(1.0, "share of updates that have the preference loss")
    steps_per_round: int = option(200, "updates before new candidates are drawn")
    prompts_per_round: int = option(256, "prompts for which candidates are drawn")
    candidate_batch: int = option(16, "candidates drawn together")
    clip_i_weight: float = option(0.6, "weight of image-image: candidate against the target pictures")
    clip_t_weight: float = option(0.4, "weight of image-text: candidate against its words")
    text_text_weight: float = option(0.0, "weight of text-text: the candidate in words against the targets' words")
    reward_target: str = option(
        "next_week", "target pictures: next week's of the category, or the item's own", choices=("next_week", "own")
    )
    min_gap: float = option(0.5, "least gap between winner and loser, in pooled standard deviations")
    safeguard: float = option(
        0.9, "mu of the winner safeguard, which compares residuals only; 0 = the loosest, below 0 = off"
    )
    winner_penalty: float = option(
        0.0, "of a winner's error above the reference's, inside the logit of dpo and ipo (Pal et al. 2024; 0 = off)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require(2 <= self.num_candidates <= 16, "num_candidates", self.num_candidates, "choose 2 to 16.")
        for name in ("dpo_beta", "dpo_weight", "anchor_weight", "min_gap", "winner_penalty"):
            require(0 <= getattr(self, name) < float("inf"), name, getattr(self, name), "choose 0 or more.")
        require(self.dpo_weight + self.anchor_weight > 0, "dpo_weight", 0, "give it or --anchor_weight more than 0.")
        require(0 <= self.dpo_frequency <= 1, "dpo_frequency", self.dpo_frequency, "choose 0 to 1.")
        for name in ("steps_per_round", "prompts_per_round", "candidate_batch"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        weights = (self.clip_i_weight, self.clip_t_weight, self.text_text_weight)
        require(min(weights) >= 0 and sum(weights) > 0, "clip_i_weight", weights, "weights are 0 or more, one above 0.")
        require(self.safeguard <= 1, "safeguard", self.safeguard, "choose 0 to 1, or below 0 for none.")
        fits = not self.winner_penalty or self.preference_loss in WITH_LOGIT
        only = f"choose 0, or a --preference_loss of {', '.join(WITH_LOGIT)}."
        require(fits, "winner_penalty", self.winner_penalty, only)

    @property
    def judgement_weights(self) -> tuple[float, float, float]:
        """Weights of image-image, image-text and text-text."""
        return self.clip_i_weight, self.clip_t_weight, self.text_text_weight
