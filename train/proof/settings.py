"""Settings of the proof: what is simulated, trained, drawn and measured, and where from.

In: flags. Out: `ProofConfig`, which checks itself, and the settings of each training that follow from it. Knows nothing
of torch and of results.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH, STARTER, GenerateConfig, option, require
from fashiondistill.data.vitonhd import SPLITS
from fashiondistill.data.weeks import Splits, Week

STAGES = ("all", "data", "run", "report")
MIN_GROUPS = 2  # noises of a sketch, below which there is no diversity to measure


@dataclass(frozen=True)
class ProofConfig:
    """Temporal and preference training, measured on weeks and senders that no training has seen."""

    dataset_path: str = option(
        "",
        "prepared photos (python -m fashiondistill.prepare photos); after data for what --stock_splits left",
    )
    output_dir: str = option("", "folder to write to; the same command goes on where it stopped")
    judge: str = option("", "folder of train.starter.judge: the CLIP that judges and trains nothing here")
    pretrained_model_name_or_path: str = option(str(STARTER), "pipeline folder to start from, with clip/, the reward")
    reward_clips: tuple[str, ...] = option(
        (), "more CLIP folders (open_clip layout) that reward together with the model's own", nargs="*"
    )
    reward_views: int = option(
        3, "views of a candidate that the reward averages: 1 plain, 2 and mirrored, 3 and nearer"
    )
    results: str = option("docs/RESULTS.md", "file of the report; its pictures stand beside it in results/")
    notes: str = option("", "Markdown file of what a person concludes, for example why a target is missed")
    stage: str = option(
        "all", "data: sales and weeks; run: arms; report: tables; all: one after the other", choices=STAGES
    )
    arms: tuple[str, ...] = option((), "run only these arms (none = all of the plan)", nargs="*")
    plan: bool = option(False, "print the arms with their expected cost and a timeline, and do nothing")
    workers: int = option(1, "processes that share the work, one a GPU: --plan draws their timeline")
    max_minutes: float = option(
        0.0, "begin no task (but a process's first) that would not end in so many minutes (0 = any)"
    )
    device: str = option("auto", "where to run", choices=("auto", "cpu", "cuda"))

    markets: int = option(4, "simulated markets, one after another on the calendar, each with trends of its own")
    num_transactions: int = option(200_000, "sales of a market, over 105 weeks")
    stock_splits: tuple[str, ...] = option(
        SPLITS, "splits whose pictures stage data copies; those of the others are taken from --dataset_path", nargs="*"
    )
    top_k: int = option(5, "bestsellers of a category and week")
    train_end: str = option("2019-W50", "last training week of a market (its sales run 2018-W38 to 2020-W39)")
    val_end: str = option("2020-W04", "last validation week; what follows is held out")
    bare_share: float = option(
        0.4, "share of training articles whose caption is the garment alone, so the past must tell"
    )

    num_cases: int = option(400, "held-out bestsellers to draw, spread evenly over their articles")
    num_noises: int = option(4, "noises of each case, the same for all models")
    best_of: int = option(8, "candidates of which best-of-K takes one")
    num_inference_steps: int = option(GenerateConfig.num_inference_steps, "denoising steps of all that is drawn")
    guidance_scale: float = option(GenerateConfig.guidance_scale, "classifier-free guidance of all that is drawn")
    draw_batch: int = option(128, "pictures drawn together")
    num_shown: int = option(8, "cases on the sample sheet")
    show_photos: bool = option(False, "put the cases' own photos on the sample sheet; publish it if you may those")
    image_size: tuple[int, ...] = option((IMAGE_HEIGHT, IMAGE_WIDTH), "height and width", nargs=2)

    num_seeds: int = option(3, "training seeds of temporal and DPO")
    temporal_steps: int = option(600, "updates of temporal training")
    temporal_batch: int = option(128, "samples of an update; the trend loss compares sets of this size")
    temporal_lr: float = option(1e-4, "learning rate of the UNet, which was trained at 5e-4 before")
    trend_lr_scale: float = option(10.0, "that of the trend encoder, which starts from nothing, over the UNet's")
    dpo_rounds: int = option(3, "rounds of candidates")
    dpo_steps: int = option(30, "updates of a round; by then 93 % of its pairs are solved (docs/LOG.md)")
    dpo_batch: int = option(128, "pairs of an update")
    micro_batch: int = option(64, "pairs that go through the model together")
    prompts_per_round: int = option(768, "prompts of a round")
    num_candidates: int = option(8, "candidates of a prompt")
    dpo_lr: float = option(4e-6, "learning rate of preference training")
    dpo_weight: float = option(1.0, "weight of the preference loss, scaled so that beta does not change its size")
    anchor_weight: float = option(0.1, "weight of real images beside it")
    min_gap: float = option(1.5, "least gap between winner and loser, in pooled standard deviations")
    safeguard: float = option(0.0, "mu of the winner safeguard, which compares residuals only")
    winner_penalty: float = option(20.0, "of a winner's error above the reference's (Pal et al. 2024; 0 = off)")
    save_steps: int = option(160, "checkpoint every so many updates: what a kill can cost")
    num_workers: int = option(0, "processes that load samples; 0 = this one, which holds them in memory")

    def __post_init__(self) -> None:
        require(bool(self.output_dir), "output_dir", repr(self.output_dir), "give the folder to write to.")
        splits = {}
        for name in ("train_end", "val_end"):
            try:
                splits[name] = Week.parse(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"--{name}: {error}") from error
        Splits(**splits)
        for name in ("markets", "num_transactions", "top_k", "best_of", "num_cases", "draw_batch", "num_seeds"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        for name in ("temporal_steps", "dpo_rounds", "dpo_steps", "micro_batch", "save_steps", "num_shown", "workers"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        for split in self.stock_splits:
            require(split in SPLITS, "stock_splits", split, f"choose of {', '.join(SPLITS)}.")
        require(self.num_noises >= MIN_GROUPS, "num_noises", self.num_noises, f"choose at least {MIN_GROUPS}.")
        require(self.best_of <= 64, "best_of", self.best_of, "choose at most 64.")
        require(1 <= self.reward_views <= 3, "reward_views", self.reward_views, "choose 1, 2 or 3.")
        require(0 <= self.bare_share < 1, "bare_share", self.bare_share, "choose 0 or more, below 1.")
        require(self.max_minutes >= 0, "max_minutes", self.max_minutes, "choose 0 or more.")
        fits = self.dpo_batch % self.micro_batch == 0
        require(fits, "micro_batch", self.micro_batch, f"choose a divisor of --dpo_batch {self.dpo_batch}.")

    @property
    def out(self) -> Path:
        """The folder to write to."""
        return Path(self.output_dir)

    @property
    def weeks(self) -> Path:
        """The data set of weekly bestsellers, in the published layout."""
        return self.out / "data" / "weeks"

    @property
    def stock(self) -> Path:
        """The pictures that sell best, each once: all that another machine needs."""
        return self.out / "data" / "stock"

    @property
    def cache(self) -> Path:
        """Latents, text states and embeddings, shared by all arms."""
        return self.out / "cache"

    def common(self, folder: Path, start: Path, seed: int) -> dict:
        """Settings that temporal and preference training share."""
        return {
            "dataset_path": str(self.weeks),
            "output_dir": str(folder),
            "pretrained_model_name_or_path": str(start),
            "cache_dir": str(self.cache),
            "image_size": tuple(self.image_size),
            "seed": seed,
            "num_samples": 0,
            "save_steps": self.save_steps,
            "keep_checkpoints": 1,
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "num_workers": self.num_workers,
            "in_memory": self.num_workers == 0,
            "noise_offset": 0.0,  # the starter was trained without; with zero-terminal noise it only shifts the target
            "device": self.device,
        }

    def temporal(self) -> dict:
        """Settings of temporal training alone."""
        return {
            "max_train_steps": self.temporal_steps,
            "batch_size": self.temporal_batch,
            "learning_rate": self.temporal_lr,
            "trend_lr_scale": self.trend_lr_scale,
        }

    def dpo(self) -> dict:
        """Settings of preference training alone."""
        return {
            "max_train_steps": self.dpo_rounds * self.dpo_steps,
            "steps_per_round": self.dpo_steps,
            "batch_size": self.micro_batch,
            "gradient_accumulation_steps": self.dpo_batch // self.micro_batch,
            "learning_rate": self.dpo_lr,
            "prompts_per_round": self.prompts_per_round,
            "num_candidates": self.num_candidates,
            "candidate_batch": self.draw_batch,
            "dpo_weight": self.dpo_weight,
            "anchor_weight": self.anchor_weight,
            "min_gap": self.min_gap,
            "safeguard": self.safeguard,
            "winner_penalty": self.winner_penalty,
            "reward_target": "own",
        }
