"""What one arm draws of the cases, and every number that is read off it.

In: an arm's models, `Cases`, a mode. Out: `Scores`: tensors by name, one value for each case and noise, and a few
pictures. Comparisons between arms are made of these later (`compare`), so that nothing is drawn twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from fashiondistill.adherence import line_share
from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.diffusion.caches import READING_THREADS
from fashiondistill.diffusion.conditioning import VAE_FACTOR
from fashiondistill.images import from_model
from train.candidates import candidate_seed
from train.drawing import decode_pixels, draw_latents, noise_of, repeat, within_memory
from train.models import TrainingModels
from train.objectives import Autocast, conditions_of
from train.proof.cases import Cases, Target
from train.proof.kid import kid
from train.proof.plan import ORACLE, Arm
from train.proof.settings import ProofConfig
from train.rewards import saturation
from train.settings import DpoConfig, TrainConfig
from train.starter.adherence import MIN_STROKES
from train.starter.distances import features_of
from train.starter.figures import iou, mask_on_ground

NOISE_SEED = 0  # of evaluation; candidates of training are keyed by round and training article, never by these
TERMS = ("own", "week", "text", "shown", "words")


@dataclass(frozen=True, eq=False)
class Scores:
    """Of S cases and G noises.

    Attributes:
        tensors: by name, float32. [S, G]: reward_own, reward_week, reward_text, reward_shown, reward_words and the
            same of the judge, saturation. [S]: diversity and vendi (of a case's G pictures), outline_iou and
            inner_lines (of the first noise; the latter NaN without inner strokes). [3]: kid, with its interval, of the
            first noise against the cases' photos.
        pictures: uint8 [H, W, 3] of the first cases, first noise.
    """

    tensors: dict[str, torch.Tensor]
    pictures: list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Judged:
    """One CLIP's view of P x G pictures: `images` [P, G, D], and a tensor [P, G] for each of `TERMS`."""

    images: torch.Tensor
    terms: dict[str, torch.Tensor]


def measure(
    config: ProofConfig, arm: Arm, models: TrainingModels, cases: Cases, mode: str, autocast: Autocast
) -> Scores:
    """Draw all cases in one mode, and measure."""
    settings = DpoConfig(**config.common(config.out, config.out, 0))
    weights = (settings.clip_i_weight, settings.clip_t_weight)
    num, take = config.num_noises, arm.take
    parts: list[dict[str, torch.Tensor]] = []
    firsts: list[np.ndarray] = []

    def measured(rows: Sequence[int]) -> tuple[dict[str, torch.Tensor], list[np.ndarray]]:
        pixels, mask = draw(models, cases, rows, mode, arm, (settings, num, autocast))
        if take > 1:
            best = choose(judged(cases.reward, cases, rows, pixels, mode), cases, rows, mode, (num, take, weights))
            groups = torch.arange(len(best), device=best.device)
            pixels = pixels.view(len(rows) * num, take, *pixels.shape[1:])[groups, best]
        found = {"saturation": saturation(pixels, mask.repeat_interleave(num, dim=0)).view(len(rows), num)}
        for name, target in (("reward", cases.reward), ("judge", cases.judge)):
            seen = judged(target, cases, rows, pixels, mode)
            found |= {f"{name}_{term}": values for term, values in seen.terms.items()}
        found |= dict(zip(("diversity", "vendi"), spread(seen.images), strict=True))  # the judge's, who came last
        first = list(from_model(pixels.view(len(rows), num, *pixels.shape[1:])[:, 0].cpu().numpy()))
        return {key: values.float().cpu() for key, values in found.items()}, first

    per_chunk = max(1, config.draw_batch // (num * take))
    with tqdm(total=len(cases), desc=f"{arm.name}, {mode}", unit="case") as bar:
        for found, first in within_memory(range(len(cases)), per_chunk, measured):
            parts.append(found)
            firsts += first
            bar.update(len(first))
    tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    full = [cv2.resize(one, (IMAGE_WIDTH, IMAGE_HEIGHT), interpolation=cv2.INTER_LINEAR) for one in firsts]
    tensors |= adherence(cases, full)
    away = kid(torch.from_numpy(features_of(cases.judge.scorer, full).pooled), cases.photos, cases.articles)
    tensors["kid"] = torch.tensor([away.mean, away.low, away.high])
    return Scores(tensors, full[: config.num_shown])


def draw(
    models: TrainingModels,
    cases: Cases,
    rows: Sequence[int],
    mode: str,
    arm: Arm,
    how: tuple[TrainConfig, int, Autocast],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels [P * G * take, 3, H, W] of some cases, and their masks [P, 1, H, W].

    Outside the mask stands the flat ground that every prepared photo has, as the studio leaves it.
    The first of `take` candidates has the noise that an arm without choice has; so both start from the same.
    """
    settings, num, autocast = how
    batch = cases.conditions(rows, mode, shuffled=arm.shuffled).to(models.device)
    with torch.no_grad():
        conditioning = conditions_of(batch, models, cases.reward.table.embeddings)
    seeds = [
        candidate_seed(NOISE_SEED, group, cases.facts[row], k)
        for row in rows
        for group in range(num)
        for k in range(arm.take)
    ]
    noise = noise_of(seeds, batch.latents.shape[1:])
    latents = draw_latents(models, repeat(conditioning, num * arm.take), noise, settings, autocast)
    mask = F.interpolate(conditioning.mask, scale_factor=VAE_FACTOR, mode="nearest")
    drawn, own = decode_pixels(models, latents, autocast), mask.repeat_interleave(num * arm.take, dim=0)
    return drawn * own + (GROUND / 127.5 - 1) * (1 - own), mask


@torch.no_grad()
def judged(target: Target, cases: Cases, rows: Sequence[int], pixels: torch.Tensor, mode: str) -> Judged:
    """Every term of some cases' pictures.

    own: cosine to the case's photo. week: mean cosine to the photos of the week's bestsellers. text: to the words it
    was drawn from (CLIP-T). shown: what it shows, in words, against the captions of the week's bestsellers (mean).
    words: the words it was drawn from against the same (T2T; no picture has a part in it).
    """
    images = target.scorer.embed_pixels(pixels).view(len(rows), -1, target.texts.shape[1])
    likely = torch.softmax(target.scorer.model.logit_scale.exp() * images @ target.texts.T, dim=2)
    shown = F.normalize(likely @ target.texts, dim=2)
    prompts = torch.from_numpy(target.scorer.embed_texts([cases.prompts[mode][row] for row in rows])).to(images.device)
    place = {caption: number for number, caption in enumerate(target.captions)}
    terms: dict[str, list[torch.Tensor]] = {term: [] for term in TERMS}
    for number, row in enumerate(rows):
        ids = cases.week_ids[row]
        texts = target.texts[[place[cases.dataset.captions[one]] for one in ids]]
        terms["own"].append(images[number] @ target.table.rows([cases.facts[row].article_id])[0])
        terms["week"].append((images[number] @ target.table.rows(ids).T).mean(dim=1))
        terms["text"].append(images[number] @ prompts[number])
        terms["shown"].append((shown[number] @ texts.T).mean(dim=1))
        terms["words"].append((texts @ prompts[number]).mean().expand(images.shape[1]))
    return Judged(images, {term: torch.stack(values) for term, values in terms.items()})


def image_term(mode: str) -> str:
    """The picture that a design is compared with: its own photo if its own words were given, else the week's five."""
    return "own" if mode == ORACLE else "week"


def choose(
    seen: Judged, cases: Cases, rows: Sequence[int], mode: str, sizes: tuple[int, int, tuple[float, float]]
) -> torch.Tensor:
    """The best candidate [P * G] of each group by the reward.

    In oracle mode the reward may see the photo, as in training; else only what is known: last week's bestsellers.
    """
    num, take, weights = sizes
    if mode == ORACLE:
        near = seen.terms["own"]
    else:
        past = [cases.facts[row].past[-1].article_ids for row in rows]
        near = torch.stack([
            (seen.images[n] @ cases.reward.table.rows(ids).T).mean(dim=1) for n, ids in enumerate(past)
        ])  # fmt: skip
    score = sum(
        weight * _standard(values.reshape(len(rows) * num, take))
        for weight, values in zip(weights, (near, seen.terms["text"]), strict=True)
    )
    return score.argmax(dim=1)


def _standard(values: torch.Tensor) -> torch.Tensor:
    """Deviation from each row's mean, in units of the spread within rows."""
    centred = values - values.mean(dim=1, keepdim=True)
    return centred / centred.std().clamp(min=1e-8)


def spread(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of G embeddings of length 1, [P, G, D]: mean pairwise distance 1 - cosine [P], and the Vendi score [P].

    Vendi: exp of the entropy of the eigenvalues of K / G (Friedman and Dieng 2023, definition 3.1): 1 to G.
    """
    count = images.shape[1]
    kernel = images @ images.transpose(1, 2)
    away = (kernel.sum(dim=(1, 2)) - kernel.diagonal(dim1=1, dim2=2).sum(dim=1)) / (count * (count - 1))
    values = torch.linalg.eigvalsh((kernel / count).double()).clamp(min=1e-12)
    values = values / values.sum(dim=1, keepdim=True)
    return 1 - away, torch.exp(-(values * values.log()).sum(dim=1))


def adherence(cases: Cases, pictures: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
    """Outline IoU and share of inner strokes followed, one a case, of pictures at full size."""

    def of_row(row: int) -> tuple[float, float]:
        picture, strokes = pictures[row], cases.strokes[row]
        followed = line_share(strokes, picture) if strokes.sum() >= MIN_STROKES else float("nan")
        return iou(mask_on_ground(picture), cases.inside[row]), followed

    with ThreadPoolExecutor(READING_THREADS) as threads:  # OpenCV and numpy let one another run
        outline, inner = zip(*threads.map(of_row, range(len(pictures))), strict=True)
    return {"outline_iou": torch.tensor(outline), "inner_lines": torch.tensor(inner)}
