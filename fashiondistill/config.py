"""Every default of the project, as frozen dataclasses; `cli.py` turns them into flags.

A config checks itself when it is made and says which flag is wrong, what it was and what to do. Knows nothing of
torch, files or gradio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

IMAGE_HEIGHT = 512  # pixels; MGD's size, kept through the whole system
IMAGE_WIDTH = 384
GROUND = 246  # grey level of the flat ground that every prepared picture stands on

BLIND_CANDIDATES = 2  # designs a side of the page's blind test: one alone says more of its noise than of its model

ASSETS = Path(__file__).parent / "assets"
STARTER = ASSETS / "starter"
CATALOGUE = ASSETS / "catalogue"


def option(default, help_text: str, **cli):  # noqa: ANN001, ANN003, ANN201 - the type is the field's own
    """A dataclass field with its flag's help text; `cli` goes to argparse (choices, nargs); positional = no flag."""
    return field(default=default, metadata={"help": help_text, **cli})


def require(condition: bool, flag: str, value: object, remedy: str) -> None:
    """Raise ValueError in the project's one form: flag, value, remedy."""
    if not condition:
        raise ValueError(f"--{flag} {value} is not usable: {remedy}")


@dataclass(frozen=True)
class DrawingDefaults:
    """How a model is drawn with where nobody says otherwise; its model_index.json may say its own.

    Attributes:
        num_inference_steps: denoising steps of a candidate.
        guidance_scale: classifier-free guidance; 1 = none.
        live_steps: denoising steps of the page's live preview: half of a candidate's, so about half its time.
    """

    num_inference_steps: int = 6
    guidance_scale: float = 2.0
    live_steps: int = 3

    def __post_init__(self) -> None:
        for name in ("num_inference_steps", "live_steps"):
            require(1 <= getattr(self, name) <= 100, name, getattr(self, name), "choose 1 to 100.")
        require(1 <= self.guidance_scale <= 20, "guidance_scale", self.guidance_scale, "choose 1 to 20.")

    @classmethod
    def of(cls, settings: Mapping) -> DrawingDefaults:
        """What a pipeline's settings say; what they leave out or give as 0 is as ever."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__ if settings.get(name)})

    def generate_config(self) -> GenerateConfig:
        """Settings of a request with them."""
        steps, guidance = self.num_inference_steps, self.guidance_scale
        return replace(GenerateConfig(), num_inference_steps=steps, guidance_scale=guidance)


@dataclass(frozen=True)
class GenerateConfig:
    """How candidates are drawn and ranked."""

    num_candidates: int = option(4, "designs to draw, 1 to 8")
    num_inference_steps: int = option(DrawingDefaults.num_inference_steps, "denoising steps, 1 to 100")
    guidance_scale: float = option(
        DrawingDefaults.guidance_scale, "classifier-free guidance; 1 switches it off and halves the passes"
    )
    sketch_influence: float = option(1.0, "fraction of the steps, from the noisiest on, that see the sketch; 0 to 1")
    clip_i_weight: float = option(0.6, "weight of CLIP-I (similarity to the week's bestsellers)")
    clip_t_weight: float = option(0.4, "weight of CLIP-T (similarity to the words)")

    def __post_init__(self) -> None:
        require(1 <= self.num_candidates <= 8, "num_candidates", self.num_candidates, "choose 1 to 8.")
        require(
            1 <= self.num_inference_steps <= 100, "num_inference_steps", self.num_inference_steps, "choose 1 to 100."
        )
        require(1 <= self.guidance_scale <= 20, "guidance_scale", self.guidance_scale, "choose 1 to 20.")
        require(0 <= self.sketch_influence <= 1, "sketch_influence", self.sketch_influence, "choose 0 to 1.")
        for name in ("clip_i_weight", "clip_t_weight"):
            value = getattr(self, name)
            require(0 <= value <= 1, name, value, "choose 0 to 1.")
        require(
            self.clip_i_weight + self.clip_t_weight > 0,
            "clip_i_weight",
            self.clip_i_weight,
            "one of --clip_i_weight and --clip_t_weight must be above 0.",
        )


@dataclass(frozen=True)
class CatalogueConfig:
    """The synthetic catalogue and its sales."""

    num_transactions: int = option(200_000, "rows of transactions_train")
    num_customers: int = option(2_000, "rows of customers")
    articles_per_category: int = option(24, "articles of each category")
    seed: int = option(7, "seed of catalogue and sales")

    def __post_init__(self) -> None:
        for name in ("num_transactions", "num_customers", "articles_per_category"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")


@dataclass(frozen=True)
class StudioConfig:
    """The web page."""

    model: str = option(str(STARTER), "folder of the pipeline to open (diffusers layout)")
    catalogue: str = option(str(CATALOGUE), "folder with articles, transactions and images in H&M's layout")
    host: str = option("127.0.0.1", "address to listen on; 0.0.0.0 opens it to the network")
    port: int = option(7860, "port to listen on")
    device: str = option("auto", "where the model runs", choices=("auto", "cpu", "cuda"))
    mcp: bool = option(True, "serve the endpoints to assistants as MCP tools at /gradio_api/mcp")
    max_queue: int = option(24, "requests that may wait; more are told to come back")
    language: str = option("en", "language of the page: en, de, or any other that has a file in studio/locales")
    compare_models: tuple[str, ...] = option(
        (), "pipeline folders to judge blind against each other and --model (adds a tab to the page)", nargs="*"
    )
    store_dir: str = option(
        "", "folder of everything that designers made (empty = /data on a Space, else the user's data folder)"
    )

    def __post_init__(self) -> None:
        require(0 <= self.port <= 65535, "port", self.port, "choose 0 to 65535 (0: any free port).")
        require(self.max_queue >= 1, "max_queue", self.max_queue, "choose at least 1.")


@dataclass(frozen=True)
class PreparePhotosConfig:
    """Photos and labels -> VITON-HD style data set."""

    photos: str = option("", "folder with images/ and a label CSV")
    out: str = option("", "folder to write the data set to; an interrupted run goes on where it stopped")
    labels: str = option("images.csv", "label CSV inside --photos: columns image, sender_id, label")
    segmenter: str = option(
        "grabcut",
        "who cuts the garment out: GrabCut alone, with a small network as its fourth start and check, or rembg",
        choices=("learned", "grabcut", "rembg"),
    )
    min_score: float = option(0.9, "masks trusted less than this are rejected, 0 to 1")
    val_share: float = option(0.05, "share of the photos, by whole senders, kept for validation")
    test_share: float = option(0.12, "share of the photos, by whole senders, kept for the final judgement")
    num_workers: int = option(0, "processes; 0 = one per core, 1 = no others")

    def __post_init__(self) -> None:
        require(bool(self.photos), "photos", repr(self.photos), "give the folder that holds images/ and the label CSV.")
        require(bool(self.out), "out", repr(self.out), "give the folder to write to.")
        require(0 <= self.min_score <= 1, "min_score", self.min_score, "choose 0 to 1.")
        for name in ("val_share", "test_share"):
            require(0 <= getattr(self, name) < 0.5, name, getattr(self, name), "choose 0 to 0.5.")
        require(self.num_workers >= 0, "num_workers", self.num_workers, "choose 0 or more.")


@dataclass(frozen=True)
class ProductShotConfig:
    """How a shop's product picture becomes picture, mask, sketch and caption; the defaults download nothing."""

    segmenter: str = option(
        "ground",
        "who cuts the garment out: its light ground, GrabCut, or a model (rembg, transformers)",
        choices=("ground", "grabcut", "rembg", "transformers"),
    )
    segmenter_model: str = option(
        "", "rembg: name or path of an .onnx file; transformers: folder or hub id of a segmentation model"
    )
    sketcher: str = option("lines", "who draws the sketch: our line filter, or PiDiNet", choices=("lines", "pidinet"))
    sketcher_model: str = option("", "pidinet: folder or hub id that holds table5_pidinet.pth")
    captioner_model: str = option("", "folder or hub id of a captioning model; empty = the shop's own words")
    min_shot_score: float = option(0.5, "masks trusted less than this are rejected, 0 to 1")
    keep_picture: bool = option(False, "leave pictures whole instead of setting the garment alone on the flat ground")

    def __post_init__(self) -> None:
        require(0 <= self.min_shot_score <= 1, "min_shot_score", self.min_shot_score, "choose 0 to 1.")
        require(
            self.segmenter != "transformers" or bool(self.segmenter_model),
            "segmenter",
            self.segmenter,
            "give a folder or hub id with --segmenter_model.",
        )
        require(
            self.sketcher != "pidinet" or bool(self.sketcher_model),
            "sketcher",
            self.sketcher,
            "give a folder or hub id with --sketcher_model.",
        )
        for model, user, users in (
            ("segmenter_model", self.segmenter, ("rembg", "transformers")),
            ("sketcher_model", self.sketcher, ("pidinet",)),
        ):
            value = getattr(self, model)
            require(
                not value or user in users,
                model,
                value,
                f"nothing would use it: choose --{model.removesuffix('_model')} {' or '.join(users)}, or leave it out.",
            )


@dataclass(frozen=True)
class CheckConfig:
    """Looks through a data set folder."""

    dataset_path: str = option("", "data set folder, ours or a published one", positional=True)
    shape: str = option(
        "pad", "how it will be read, see the training flag; pull forgives other proportions", choices=("pad", "pull")
    )
    tokenizer: str = option("", "folder with the tokenizer.json that counts the captions' tokens (none = CLIP's)")
    num_workers: int = option(0, "processes; 0 = one per core, 1 = no others")

    def __post_init__(self) -> None:
        require(bool(self.dataset_path), "dataset_path", repr(self.dataset_path), "give a data set folder.")
        require(self.num_workers >= 0, "num_workers", self.num_workers, "choose 0 or more.")


@dataclass(frozen=True)
class DatasetConfig:
    """How a data set folder becomes samples."""

    num_past_weeks: int = option(4, "weeks of the calendar to look back from the target week")
    temporal_weight_decay: float = option(0.8, "weight of a week over that of the week after it; above 0, at most 1")
    categories: tuple[str, ...] = option((), "category folders to use (none = all)", nargs="*")
    caption_parts: int = option(3, "strings of captions.json that make the caption, from the first on; 1 to 3")
    incomplete: str = option(
        "error", "what to do with pictures that lack a caption, sketch or mask", choices=("error", "leave_out")
    )
    pose_channels: int = option(0, "channels of the pose map, zeros, for models that expect one; 0, 3 or 18")
    binary_sketch: bool = option(False, "strokes as 0 or 1 with MGD's thresholds instead of their grey levels")
    shape: str = option(
        "pad", "how other shapes become 512 x 384: with a border, or pulled as upstream does", choices=("pad", "pull")
    )
    seed: int = option(0, "seed of all that is drawn at random in training")

    def __post_init__(self) -> None:
        require(self.num_past_weeks >= 1, "num_past_weeks", self.num_past_weeks, "choose at least 1.")
        decay = self.temporal_weight_decay
        require(0 < decay <= 1, "temporal_weight_decay", decay, "choose more than 0, at most 1.")
        require(1 <= self.caption_parts <= 3, "caption_parts", self.caption_parts, "choose 1 to 3.")
        require(self.pose_channels in (0, 3, 18), "pose_channels", self.pose_channels, "choose 0, 3 or 18.")


@dataclass(frozen=True)
class PrepareCaptionsConfig:
    """Captions of a prepared set of photos, written again from its pictures; masks and sketches stay."""

    out: str = option("", "data set folder")

    def __post_init__(self) -> None:
        require(bool(self.out), "out", repr(self.out), "give the data set folder.")


@dataclass(frozen=True)
class SleevesConfig:
    """Learns the sleeve weights of photos' captions from drawn masks."""

    out: str = option(str(ASSETS), "folder for sleeves.safetensors")
    num_masks: int = option(1500, "drawn masks to learn from")

    def __post_init__(self) -> None:
        require(bool(self.out), "out", repr(self.out), "give the folder to write to.")
        require(self.num_masks >= 30, "num_masks", self.num_masks, "choose at least 30.")


@dataclass(frozen=True)
class SegmenterConfig:
    """Learns where a photo's garment is from the masks of a prepared set."""

    dataset_path: str = option("", "set of prepare photos whose masks are learnt from")
    photos: str = option("", "the folder of photos that the set was made of")
    out: str = option(str(ASSETS), "folder for segmenter.safetensors")
    max_train_steps: int = option(2400, "training steps")
    batch_size: int = option(24, "photos a step")
    learning_rate: float = option(4e-3, "highest learning rate of the one-cycle schedule")
    seed: int = option(0, "seed of weights, order and variations")
    num_workers: int = option(0, "processes that cut out again; 0 = one per core, 1 = no others")

    def __post_init__(self) -> None:
        for name in ("dataset_path", "photos", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        for name in ("max_train_steps", "batch_size"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        require(0 < self.learning_rate < 1, "learning_rate", self.learning_rate, "choose 0 to 1, without the ends.")
        require(self.num_workers >= 0, "num_workers", self.num_workers, "choose 0 or more.")


@dataclass(frozen=True)
class PrepareDrawingsConfig:
    """Drawn garments, added to a data set: most of the categories that photos lack."""

    out: str = option("", "data set folder; what it already holds stays")
    num_drawings: int = option(1500, "garments to draw")
    shares: tuple[int, ...] = option(
        (16, 12, 12, 14, 22, 24),
        "parts of upper body, lower body, full body, shoes, accessories and underwear; spread evenly over their kinds",
        nargs="*",
    )
    seed: int = option(0, "seed of shapes, colours and patterns")
    num_workers: int = option(0, "processes; 0 = one per core, 1 = no others")

    def __post_init__(self) -> None:
        require(bool(self.out), "out", repr(self.out), "give the folder to write to.")
        require(self.num_drawings >= 1, "num_drawings", self.num_drawings, "choose at least 1.")
        good = len(self.shares) == 6 and min(self.shares) >= 0 and 1 <= sum(self.shares) <= 1000
        require(good, "shares", self.shares, "give six whole numbers of 0 or more, together 1 to 1000.")
        require(self.num_workers >= 0, "num_workers", self.num_workers, "choose 0 or more.")


@dataclass(frozen=True)
class StageConfig:
    """What every stage of the starter's training shares."""

    dataset_path: str = option("", "prepared data set (python -m fashiondistill.prepare photos, then drawings)")
    output_dir: str = option("", "folder of this stage; a run that was stopped goes on from the state there")
    max_minutes: float = option(8.0, "wall time after which the stage saves and ends; the schedule is spread over it")
    save_every_minutes: float = option(2.0, "write state and models so often (0 = at the end only)")
    stop_after_minutes: float = option(0.0, "end this run after so long; the same command goes on (0 = no early end)")
    batch_size: int = option(64, "samples a step")
    learning_rate: float = option(4e-4, "peak learning rate of AdamW")
    seed: int = option(0, "seed of weights, order and augmentation")
    device: str = option("cuda", "where to train", choices=("cuda", "cpu"))
    compile: bool = option(True, "torch.compile the model (about a minute once)")
    max_records: int = option(0, "use only so many articles (0 = all); for smoke tests")

    def __post_init__(self) -> None:
        require(bool(self.dataset_path), "dataset_path", repr(self.dataset_path), "give a prepared data set.")
        require(bool(self.output_dir), "output_dir", repr(self.output_dir), "give a folder to write to.")
        require(self.max_minutes > 0, "max_minutes", self.max_minutes, "choose more than 0.")
        for name in ("stop_after_minutes", "save_every_minutes"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "choose 0 or more.")
        require(self.batch_size >= 2, "batch_size", self.batch_size, "choose at least 2.")
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "choose more than 0.")
        require(self.max_records >= 0, "max_records", self.max_records, "choose 0 or more.")


@dataclass(frozen=True)
class AutoencoderConfig(StageConfig):
    """AutoencoderKL; the decoder is small, since two CPU cores must run it."""

    block_out_channels: tuple[int, ...] = option(
        (24, 48, 96, 128), "channels per level; 4 levels make latents of 1/8 of the side, 5 of 1/16", nargs="+"
    )
    latent_channels: int = option(8, "channels of the latents")
    crop: int = option(192, "side of the training crops in pixels")
    kl_weight: float = option(1e-6, "weight of the KL term")
    scale_weight: float = option(0.25, "weight of decoding halved latents to halved pictures")
    frequency_weight: float = option(0.5, "weight of the difference of local spectra (0 = none)")
    adversarial_share: float = option(
        0.25, "the adversary's push, as a share of the reconstruction's gradient (0 = no adversary)"
    )
    adversarial_start: int = option(1500, "step from which the adversary pushes; it learns from the first on")
    max_drawings: int = option(1500, "drawn garments to learn from beside the photos, spread evenly")
    init: str = option("", "folder with a vae/ to start from instead of random weights")
    decoder_only: bool = option(
        False, "keep the encoder of --init, so that a denoiser trained on its latents stays valid"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_multiples("block_out_channels", self.block_out_channels, 8)
        levels = self.block_out_channels
        require(len(levels) in (4, 5), "block_out_channels", levels, "give 4 or 5 levels.")
        require(32 <= self.crop <= IMAGE_WIDTH, "crop", self.crop, f"choose 32 to {IMAGE_WIDTH}.")
        _require_multiples("crop", self.crop, 2 ** len(levels))  # the halved picture's latents must be whole as well
        for name in (
            "kl_weight",
            "scale_weight",
            "frequency_weight",
            "adversarial_share",
            "adversarial_start",
            "max_drawings",
        ):
            require(getattr(self, name) >= 0, name, getattr(self, name), "choose 0 or more.")
        require(self.latent_channels >= 1, "latent_channels", self.latent_channels, "choose at least 1.")
        require(bool(self.init) or not self.decoder_only, "decoder_only", True, "give the encoder to keep with --init.")


@dataclass(frozen=True)
class ClipConfig(StageConfig):
    """The small CLIP that ranks candidates."""

    batch_size: int = option(256, "image-caption pairs a step")
    learning_rate: float = option(1e-3, "peak learning rate of AdamW")
    max_drawings: int = option(2500, "drawn garments to learn from beside the photos, spread evenly")
    vision_model: str = option("regnety_002", "timm model of the image tower")
    embed_dim: int = option(128, "size of the shared embedding")
    text_width: int = option(192, "width of the text tower")
    text_layers: int = option(3, "layers of the text tower")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "text_layers"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        require(self.max_drawings >= 0, "max_drawings", self.max_drawings, "choose 0 or more.")
        _require_multiples("text_width", self.text_width, 64)


@dataclass(frozen=True)
class DenoiserConfig(StageConfig):
    """UNet2DConditionModel on folded latents, with its CLIPTextModel trained along."""

    autoencoder: str = option("", "folder of the autoencoder stage (its vae/)")
    batch_size: int = option(384, "samples a step")
    learning_rate: float = option(4e-4, "peak learning rate of AdamW")
    block_out_channels: tuple[int, ...] = option((64, 192, 192, 192), "channels per level", nargs="+")
    fold: int = option(1, "side of the blocks of latents that are one token: 2 saves a level")
    sketch_channels: int = option(4, "parts that a latent cell's 8 x 8 pixels of sketch are divided into: 1, 4 or 16")
    text_width: int = option(256, "width of the text encoder")
    layers_per_block: tuple[int, ...] = option(
        (1,), "residual blocks of each level; one number stands for all", nargs="+"
    )
    text_layers: int = option(3, "layers of the text encoder")
    num_variants: int = option(12, "augmented copies of each photo in the latent cache")
    drawing_variants: int = option(4, "augmented copies of each drawing in the latent cache, at most --num_variants")
    drawing_share: float = option(0.35, "share of the samples that are drawings, where there are both")
    cache_dir: str = option("", "keep the latent cache here, for the next run or stage (empty = in memory only)")
    num_samples: int = option(32, "validation sketches drawn at the end of a run (0 = none)")
    snr_gamma: float = option(5.0, "min-SNR clamp (Hang et al. 2023)")
    condition_dropout: float = option(0.1, "share of samples without text, sketch and pose (for guidance)")
    init: str = option("", "folder with unet/ and text_encoder/ to start from instead of random weights")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(bool(self.autoencoder), "autoencoder", repr(self.autoencoder), "give the autoencoder stage's folder.")
        _require_multiples("block_out_channels", self.block_out_channels, 32)
        levels = self.block_out_channels
        require(len(levels) >= 2, "block_out_channels", levels, "give 2 levels or more.")
        layers = self.layers_per_block
        good = len(layers) in (1, len(levels)) and min(layers) >= 1
        require(good, "layers_per_block", layers, f"give one number, or {len(levels)}, of 1 or more.")
        require(self.fold in (1, 2), "fold", self.fold, "choose 1 or 2.")
        require(self.sketch_channels in (1, 4, 16), "sketch_channels", self.sketch_channels, "choose 1, 4 or 16.")
        _require_multiples("text_width", self.text_width, 64)
        require(self.text_layers >= 1, "text_layers", self.text_layers, "choose at least 1.")
        _check_copies(self)
        require(self.num_samples >= 0, "num_samples", self.num_samples, "choose 0 or more.")
        require(self.snr_gamma > 0, "snr_gamma", self.snr_gamma, "choose more than 0.")
        require(0 <= self.condition_dropout < 1, "condition_dropout", self.condition_dropout, "choose 0 to 1.")


@dataclass(frozen=True)
class DistillConfig(StageConfig):
    """A UNet2DConditionModel that needs few steps and no guidance, from one that needs many."""

    teacher: str = option("", "output folder of train.starter.denoiser, or of an earlier distillation")
    autoencoder: str = option("", "folder of the autoencoder stage (its vae/)")
    batch_size: int = option(256, "samples a step")
    learning_rate: float = option(1e-4, "peak learning rate of AdamW")
    num_steps: int = option(4, "denoising steps that the student will need")
    substeps: int = option(2, "steps of the teacher that one step of the student replaces")
    teacher_guidance: float = option(1.0, "guidance scale of the teacher; 1 = none, for a teacher distilled before")
    num_variants: int = option(12, "augmented copies of each photo in the latent cache")
    drawing_variants: int = option(4, "augmented copies of each drawing in the latent cache, at most --num_variants")
    drawing_share: float = option(0.35, "share of the samples that are drawings, where there are both")
    cache_dir: str = option(
        "", "keep the latent cache here, or take that of the denoiser stage (empty = in memory only)"
    )
    num_samples: int = option(32, "validation sketches drawn at the end of a run (0 = none)")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(bool(self.teacher), "teacher", repr(self.teacher), "give the denoiser stage's folder.")
        require(bool(self.autoencoder), "autoencoder", repr(self.autoencoder), "give the autoencoder stage's folder.")
        require(self.num_steps >= 1, "num_steps", self.num_steps, "choose at least 1.")
        _check_copies(self)
        require(self.substeps >= 2, "substeps", self.substeps, "choose at least 2.")
        require(
            self.num_steps * self.substeps <= 500,
            "num_steps",
            self.num_steps,
            "choose so that the teacher takes at most 500.",
        )
        require(self.teacher_guidance >= 1, "teacher_guidance", self.teacher_guidance, "choose 1 or more.")
        require(self.num_samples >= 0, "num_samples", self.num_samples, "choose 0 or more.")


def _check_copies(config: DenoiserConfig | DistillConfig) -> None:
    """What the latent cache of a stage holds."""
    for name in ("num_variants", "drawing_variants"):
        require(getattr(config, name) >= 1, name, getattr(config, name), "choose at least 1.")
    require(0 < config.drawing_share < 1, "drawing_share", config.drawing_share, "choose more than 0, less than 1.")


def _require_multiples(flag: str, value: int | tuple[int, ...], unit: int) -> None:
    """Channels must divide into the groups and heads that the stages give them."""
    values = value if isinstance(value, tuple) else (value,)
    require(all(v > 0 and v % unit == 0 for v in values), flag, value, f"choose multiples of {unit}.")


@dataclass(frozen=True)
class PrepareHmConfig:
    """A shop's sales and pictures in H&M's layout -> weekly bestsellers as a data set in the published layout."""

    hm_dir: str = option("", "folder with articles.csv, transactions_train.csv (.csv.gz, .csv.zip, .parquet), images/")
    out: str = option("", "folder to write the data set to; an interrupted run goes on where it stopped")
    top_k: int = option(5, "bestsellers of each category and week")
    rank_by: str = option("units", "what sells best: units, or revenue", choices=("units", "revenue"))
    dedupe: str = option(
        "article",
        "who takes a place: each article, or each design by its best colourway",
        choices=("article", "product"),
    )
    week: str = option(
        "iso", "ISO weeks, or windows of seven days that end with the last day of sales", choices=("iso", "kaggle")
    )
    categories: tuple[str, ...] = option((), "folders such as top5gub top5shoe; none = all six", nargs="*")
    audience: tuple[str, ...] = option((), "index groups such as Ladieswear Menswear; none = all", nargs="*")
    exclude_types: tuple[str, ...] = option((), 'product types to leave out, such as "Garment Set"', nargs="*")
    train_end: str = option("2020-W07", "last week of the training split")
    val_end: str = option("2020-W22", "last week of the validation split; test has the weeks after it")
    first_week: str = option("", "leave out the weeks before it (empty = none)")
    last_week: str = option("", "leave out the weeks after it (empty = none)")
    cache_dir: str = option("", "where the slim copy of the sales is kept (empty = the user's cache folder)")
    num_workers: int = option(0, "processes for the pictures; 0 = one per core, 1 = no others")

    def __post_init__(self) -> None:
        require(
            bool(self.hm_dir), "hm_dir", repr(self.hm_dir), "give the folder that holds articles.csv and the sales."
        )
        require(bool(self.out), "out", repr(self.out), "give the folder to write to.")
        require(self.top_k >= 1, "top_k", self.top_k, "choose at least 1.")
        require(self.num_workers >= 0, "num_workers", self.num_workers, "choose 0 or more.")


@dataclass(frozen=True)
class MapColumnsConfig:
    """Another shop's export -> H&M's layout, by a small file that says which column is which."""

    source: str = option("", "folder with the shop's own files")
    columns: str = option("", "TOML file that names files and columns, see docs/columns.toml")
    out: str = option("", "folder to write articles.csv, transactions_train.parquet and images/ to")

    def __post_init__(self) -> None:
        require(bool(self.source), "source", repr(self.source), "give the folder that holds the shop's files.")
        require(bool(self.columns), "columns", repr(self.columns), "give the TOML file that names the columns.")
        require(bool(self.out), "out", repr(self.out), "give the folder to write to.")


@dataclass(frozen=True)
class PredictConfig:
    """Temporal inference: next week's garments from a data set of weekly bestsellers, with the published flags."""

    dataset_path: str = option("", "data set in the published layout (python -m fashiondistill.prepare hm)")
    checkpoint_path: str = option("", "pipeline folder, or UNet weights (.safetensors) for the base model")
    output_dir: str = option("", "folder to write to; the same command goes on where it stopped")
    lora: str = option("", "LoRA to add to the model: folder or file of train.dpo or train.temporal --lora_rank")
    pretrained_model_name_or_path: str = option(
        str(STARTER), "base when --checkpoint_path holds a UNet alone: folder, hub id or .safetensors"
    )
    mode: str = option(
        "forecast", "prompt from the past only, or (oracle) the true caption", choices=("forecast", "oracle")
    )
    catalogue: str = option("", "the shop's sales in H&M's layout to forecast from (empty = the data set's captions)")
    language_model: str = option("", "folder or hub id of a causal language model that phrases the forecast; optional")
    prompt_words: str = option(
        "caption",
        "captions as they stand, or (training) their colour, pattern and garment in the words of the bundled model",
        choices=("caption", "training"),
    )
    split: str = option("test", "split whose weeks are predicted", choices=("train", "val", "test"))
    num_past_weeks: int = option(4, "weeks of the calendar to look back")
    temporal_weight_decay: float = option(0.8, "weight of a week over that of the week after it")
    predict_future_weeks: int = option(1, "weeks from the base picture's week to the one that is drawn, 1 to 8")
    categories: tuple[str, ...] = option((), "category folders (none = all)", nargs="*")
    batch_size: int = option(1, "pictures drawn at once")
    num_workers_test: int = option(2, "processes that read pictures; 0 = none")
    mixed_precision: str = option("auto", "number format of the model", choices=("auto", "no", "fp16", "bf16"))
    guidance_scale: float = option(7.5, "classifier-free guidance; 1 = none; a pipeline folder may say its own default")
    num_inference_steps: int = option(50, "denoising steps; a pipeline folder may say its own default")
    seed: int = option(42, "every sample's noise is keyed by it, week and article")
    no_pose: bool = option(True, "models with pose inputs get an empty pose, as published")
    device: str = option("auto", "where the model runs", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        for name, remedy in (
            ("dataset_path", "give a data set folder."),
            ("checkpoint_path", "give a pipeline folder or a .safetensors file."),
            ("output_dir", "give the folder to write to."),
        ):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), remedy)
        require(
            1 <= self.predict_future_weeks <= 8, "predict_future_weeks", self.predict_future_weeks, "choose 1 to 8."
        )
        require(self.batch_size >= 1, "batch_size", self.batch_size, "choose at least 1.")
        require(self.num_workers_test >= 0, "num_workers_test", self.num_workers_test, "choose 0 or more.")
        require(1 <= self.guidance_scale <= 20, "guidance_scale", self.guidance_scale, "choose 1 to 20.")
        require(
            1 <= self.num_inference_steps <= 1000, "num_inference_steps", self.num_inference_steps, "choose 1 to 1000."
        )
        require(self.no_pose, "no_pose", self.no_pose, "data sets of this layout hold no poses; leave the flag out.")
        require(
            self.mode == "forecast" or not (self.catalogue or self.language_model),
            "mode",
            self.mode,
            "--catalogue and --language_model belong to --mode forecast.",
        )
        require(
            bool(self.catalogue) or not self.language_model,
            "language_model",
            self.language_model,
            "it phrases a forecast from sales: give them with --catalogue.",
        )
