"""Every default of the project, as frozen dataclasses; `cli.py` turns them into flags.

A config checks itself when it is made and says which flag is wrong, what it was and what to do. Knows nothing of
torch, files or gradio.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

IMAGE_HEIGHT = 512  # pixels; MGD's size, kept through the whole system
IMAGE_WIDTH = 384
GROUND = 246  # grey level of the flat ground that every prepared picture stands on

ASSETS = Path(__file__).parent / "assets"
STARTER = ASSETS / "starter"
CATALOGUE = ASSETS / "catalogue"


def option(default, help_text: str, **cli):  # noqa: ANN001, ANN003, ANN201 - the type is the field's own
    """A dataclass field with the help text of its flag; `cli` goes to argparse (choices, nargs)."""
    return field(default=default, metadata={"help": help_text, **cli})


def require(condition: bool, flag: str, value: object, remedy: str) -> None:
    """Raise ValueError in the project's one form: flag, value, remedy."""
    if not condition:
        raise ValueError(f"--{flag} {value} is not usable: {remedy}")


@dataclass(frozen=True)
class GenerateConfig:
    """How candidates are drawn and ranked."""

    num_candidates: int = option(4, "designs to draw, 1 to 8")
    num_inference_steps: int = option(12, "denoising steps, 2 to 100")
    guidance_scale: float = option(3.0, "classifier-free guidance; 1 switches it off")
    sketch_influence: float = option(1.0, "fraction of the steps, from the noisiest on, that see the sketch; 0 to 1")
    clip_i_weight: float = option(0.6, "weight of CLIP-I (similarity to the week's bestsellers)")
    clip_t_weight: float = option(0.4, "weight of CLIP-T (similarity to the words)")

    def __post_init__(self) -> None:
        require(1 <= self.num_candidates <= 8, "num_candidates", self.num_candidates, "choose 1 to 8.")
        require(
            2 <= self.num_inference_steps <= 100, "num_inference_steps", self.num_inference_steps, "choose 2 to 100."
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
    max_queue: int = option(24, "requests that may wait; more are told to come back")

    def __post_init__(self) -> None:
        require(0 <= self.port <= 65535, "port", self.port, "choose 0 to 65535 (0: any free port).")
        require(self.max_queue >= 1, "max_queue", self.max_queue, "choose at least 1.")
