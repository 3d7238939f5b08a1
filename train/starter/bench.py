"""What every part of the evaluation shares: test photos as cases, pictures that are drawn once and kept, results.

In: models, the test split, a folder. Out: PNG files below the folder's pictures/, so that a stopped run goes on without
drawing anything twice, and `PartResult`s. Nothing is ranked or chosen: a picture is the first candidate of seed 0.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from tqdm import tqdm

from fashiondistill.config import GenerateConfig
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.vitonhd import ArticleRecord
from fashiondistill.design import DesignRequest
from fashiondistill.diffusion.conditioning import Conditioning
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.repaint import Known, keep_outside
from fashiondistill.scoring import ClipScorer
from train.starter.figures import Figure, reconstruct
from train.starter.splits import StarterData

WEEK = "2020-W10"  # a request needs one; the pipeline does not look at it
UNSEEN_SEED = 3_000_000_000  # drawings of a data set have seeds below 2**31


@dataclass(frozen=True, eq=False)
class Case:
    """A garment to measure on.

    Attributes:
        name: article id, or kind of a drawing.
        category, garment, caption: as in `ArticleRecord`.
        photo: uint8 [512, 384, 3].
        sketch: float32 [512, 384], 1 = stroke.
        inside: bool [512, 384], the garment.
        record: where it comes from a photo.
    """

    name: str
    category: str
    garment: str
    caption: str
    photo: np.ndarray
    sketch: np.ndarray
    inside: np.ndarray
    record: ArticleRecord | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """One picture to draw, with the fields of a `DesignRequest`."""

    name: str
    category: str
    prompt: str
    sketch: np.ndarray
    image: np.ndarray | None = None
    mask: np.ndarray | None = None

    @property
    def request(self) -> DesignRequest:
        """The same as a request, which checks it."""
        return DesignRequest(self.category, WEEK, self.prompt, self.sketch, image=self.image, mask=self.mask)

    @property
    def file_name(self) -> str:
        """Name and a digest of all that the picture depends on, so that a changed task is drawn again."""
        digest = hashlib.sha256(f"{self.category}\n{self.prompt}\n".encode())
        for array in (self.sketch, self.image, self.mask):
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
        return f"{self.name.replace(' ', '_')}-{digest.hexdigest()[:10]}.png"


@dataclass(frozen=True, eq=False)
class PartResult:
    """Figures by name, one row of plain values a picture, and the sheet to look at (none = nothing to see)."""

    figures: dict[str, Figure]
    rows: list[dict] = field(default_factory=list)
    sheet: np.ndarray | None = None


class Artist:
    """Draws with a pipeline and reconstructs with its autoencoder; what lies in `folder` is read instead.

    Args:
        settings: steps and guidance.
        batch_size: designs that go through the model together; more than one pays on a GPU only.
    """

    def __init__(
        self, pipeline: GarmentPipeline, vae: AutoencoderKL, folder: Path, *, settings: GenerateConfig, batch_size: int
    ) -> None:
        self.pipeline, self.vae, self.folder = pipeline, vae, folder
        self.settings, self.batch_size = settings, batch_size

    def draw(self, tasks: list[Task]) -> list[np.ndarray]:
        """uint8 [512, 384, 3] for each task: its first candidate of seed 0.

        Raises:
            ValueError: naming the field of a task that no request may have.
        """
        paths = [self.folder / "designs" / task.file_name for task in tasks]
        missing = [(path, task) for path, task in zip(paths, tasks, strict=True) if not path.is_file()]
        with tqdm(total=len(missing), desc="drawing", unit="design", disable=not missing) as bar:
            for start in range(0, len(missing), self.batch_size):
                chunk = missing[start : start + self.batch_size]
                pictures = self._first_candidates([task for _, task in chunk])
                for (path, _), picture in zip(chunk, pictures, strict=True):
                    _write_png(path, picture)
                bar.update(len(chunk))
        return [_read_png(path) for path in paths]

    def reconstruct(self, case: Case) -> np.ndarray:
        """uint8 [512, 384, 3]: the photo through the autoencoder, from the posterior's mean."""
        path = self.folder / "reconstructions" / f"{case.name}.png"
        if not path.is_file():
            _write_png(path, reconstruct(self.vae, case.photo))
        return _read_png(path)

    @torch.no_grad()
    def _first_candidates(self, tasks: list[Task]) -> list[np.ndarray]:
        """What `GarmentPipeline.stream` would draw first for each, all at once."""
        pipeline, requests = self.pipeline, [task.request for task in tasks]
        canvases = [pipeline.canvas(r.sketch, r.image, r.mask) for r in requests]
        conditions = [pipeline.condition(r.prompt, r.sketch, *c) for r, c in zip(requests, canvases, strict=True)]
        *_, latents = pipeline.denoise(
            candidate_noise(0, 0, pipeline.layout.latents).repeat(len(tasks), 1, 1, 1),
            reduce(Conditioning.cat, conditions),
            pipeline.encode_prompt("").to(pipeline.unet.dtype),
            num_inference_steps=self.settings.num_inference_steps,
            guidance_scale=self.settings.guidance_scale,
            known=Known.together(
                [pipeline.known(r.image, r.mask, told) for r, (_, told) in zip(requests, canvases, strict=True)]
            ),
        )
        pictures = pipeline.decode_latents(latents)
        kept = [c if r.mask is None else (r.image, r.mask) for r, c in zip(requests, canvases, strict=True)]
        return [keep_outside(picture, *one) for picture, one in zip(pictures, kept, strict=True)]


def _read_png(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _write_png(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    Image.fromarray(picture).save(part, format="PNG")
    os.replace(part, path)


@dataclass(frozen=True, eq=False)
class Bench:
    """What the parts measure with: test photos, the artist, the CLIP that ranks, and the judge."""

    cases: list[Case]
    artist: Artist
    ranker: ClipScorer
    judge: ClipScorer
    root: Path


def cases_of(data: StarterData) -> list[Case]:
    """The photos of a split as cases."""
    images, sketches, masks = (values.cpu().numpy() for values in (data.images, data.sketches, data.masks))
    return [
        Case(
            name=record.article_id,
            category=record.category,
            garment=record.garment,
            caption=record.caption,
            photo=np.moveaxis(images[index], 0, -1),
            sketch=sketches[index, 0].astype(np.float32) / 255,
            inside=masks[index, 0] > 0,
            record=record,
        )
        for index, record in enumerate(data.records)
    ]


def own_words(case: Case) -> Task:
    """The case's sketch with its own caption: what most parts draw."""
    return Task(case.name, case.category, case.caption, case.sketch)


@cache
def drawn_case(kind: str, *, seed: int, colours: tuple[str, ...] = ("grey",), pattern: str = "plain") -> Case:
    """A drawn garment that no data set holds, for categories without test photos."""
    drawn = draw_garment(kind, colours=colours, pattern=pattern, seed=UNSEEN_SEED + seed)
    return Case(
        name=f"{kind}-{seed}",
        category=drawn.category,
        garment=drawn.garment,
        caption=drawn.caption,
        photo=drawn.image,
        sketch=drawn.sketch.astype(np.float32) / 255,
        inside=drawn.mask > 0,
    )


def spread(cases: list[Case], count: int) -> list[Case]:
    """`count` cases (or all, if fewer), taking turns among the categories, evenly spread over each."""
    queues: dict[str, list[Case]] = {}
    for case in cases:
        queues.setdefault(case.category, []).append(case)
    taken: dict[str, int] = dict.fromkeys(queues, 0)
    left = min(count, len(cases))
    while left:
        for category, queue in queues.items():
            if left and taken[category] < len(queue):
                taken[category] += 1
                left -= 1
    return [
        queue[i * len(queue) // taken[category]] for category, queue in queues.items() for i in range(taken[category])
    ]
