"""Rounds of candidates: draw K pictures for each prompt in batches, judge them on the device, keep the best pairs.

In: the models as they are at the start of a round. Out: `Round`: winner and loser latents with weights, on disk too,
so that a stopped run goes on with the same pairs; and one JSON line a prompt with seeds and every judgement. Seeds are
SHA-256 of (seed, round, sample, k): fresh in every round, and written down.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from fashiondistill.data.dataset import SampleFacts, SampleKey
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.diffusion.conditioning import VAE_FACTOR
from fashiondistill.diffusion.preference import soft_weight
from train.data import Place, TrainBatch, TrainingSet, stack
from train.drawing import decode_pixels, draw_latents, noise_of, repeat, within_memory
from train.files import read_tensors, save_tensors, save_text
from train.models import TrainingModels
from train.objectives import PROMPTS, Autocast, conditions_of
from train.rewards import Judgements, Reward, saturation
from train.settings import DpoConfig
from train.starter.common import random_generator


@dataclass(frozen=True, eq=False)
class Round:
    """Pairs of a round, on the CPU.

    Attributes:
        number: from 0.
        key: what they were drawn from; see `CandidateRounds.open`.
        pairs: the samples they belong to (their latents are the real pictures').
        winners, losers: float16 [n, C, h, w].
        weights: float32 [n], 2 p - 1.
        saturation: mean saturation of all candidates inside the mask.
    """

    number: int
    key: str
    pairs: TrainBatch
    winners: torch.Tensor
    losers: torch.Tensor
    weights: torch.Tensor
    saturation: float

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(frozen=True)
class Turns:
    """This process among others that draw: every `count`-th chunk is its own; `wait` waits for all."""

    rank: int = 0
    count: int = 1
    wait: Callable[[], None] = lambda: None


def candidate_seed(seed: int, number: int, facts: SampleFacts, index: int) -> int:
    """63 bits for candidate `index` of a sample in a round."""
    week = facts.week.key if facts.week else ""
    text = f"{seed}/{number}/{facts.category}/{week}/{facts.article_id}/{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def choose_pairs(score: torch.Tensor, min_gap: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Best against worst of each prompt with a gap of at least `min_gap`.

    Args:
        score: [P, K] in pooled standard deviations.

    Returns:
        Prompts [n], winners [n] and losers [n] (places among K), weights [n].
    """
    best, worst = score.max(dim=1), score.min(dim=1)
    gap = best.values - worst.values
    prompts = torch.nonzero((gap >= min_gap) & (gap > 0))[:, 0]
    return prompts, best.indices[prompts], worst.indices[prompts], soft_weight(gap[prompts])


class CandidateRounds:
    """Makes and keeps rounds in OUTPUT_DIR/rounds.

    Args:
        models: the policy; its weights are read when a round is drawn.
        data: the training set.
        embeddings: of its articles [A, D] by the models' own CLIP, which the trend encoder reads; the reward may
            compare with those of other CLIPs.
        reward: the judge of candidates.
        config: sizes and weights.
        turns: this process among others.
    """

    def __init__(
        self,
        models: TrainingModels,
        data: TrainingSet,
        embeddings: torch.Tensor,
        reward: Reward,
        config: DpoConfig,
        autocast: Autocast,
        turns: Turns,
    ) -> None:
        self.models, self.data, self.reward, self.config = models, data, reward, config
        self.embeddings = embeddings
        self.autocast, self.turns = autocast, turns
        self.folder = Path(config.output_dir) / "rounds"
        dataset = data.cached.dataset
        self.prompts = [i for i in range(len(data)) if reward.targets(dataset.facts(i))]
        if not self.prompts:
            raise ValueError(
                f"--reward_target {config.reward_target}: no training sample has a next week to come near to. Give a "
                "dated data set, or --reward_target own."
            )

    def open(self, number: int, expected_key: str | None = None) -> Round:
        """The pairs of round `number`: read if they stand there, else drawn.

        Args:
            number: from 0.
            expected_key: of a resumed run in the middle of the round: the pairs must be those. None = the key of the
                models as they are; pairs of other models are drawn anew.

        Raises:
            ValueError: if the pairs of a resumed run are gone, or no prompt gives a pair.
        """
        key = expected_key or self._key(number)
        path = self.folder / f"round_{number:04d}.safetensors"
        found = self._read(path, number, key)
        if found is None and expected_key:
            raise ValueError(
                f"{path} is missing, damaged or of another run, but the checkpoint stands inside this round. Resume "
                "from a checkpoint of an earlier round, or start anew in another --output_dir."
            )
        if found is None:
            self._draw(number, key, path)
            found = self._read(path, number, key)
        return found

    def _key(self, number: int) -> str:
        config = self.config
        names = ("num_candidates", "prompts_per_round", "num_inference_steps", "guidance_scale", "seed", "image_size")
        settings = [getattr(config, name) for name in names] + [config.judgement_weights, config.min_gap]
        extra = json.dumps([number, settings, config.reward_target, len(self.prompts)])
        models = [self.models.unet, self.reward.scorer.model]
        models += [self.models.trend] if self.models.trend is not None else []
        return hashlib.sha256("".join(weights_id(module, extra) for module in models).encode()).hexdigest()

    def _chosen(self, number: int) -> list[int]:
        """Rows of the prompts of a round; other ones in every round as long as there are enough."""
        order = []
        while len(order) < (number + 1) * self.config.prompts_per_round:
            epoch = len(order) // len(self.prompts)
            generator = np.random.default_rng([self.config.seed, PROMPTS, epoch])
            order += [self.prompts[int(i)] for i in generator.permutation(len(self.prompts))]
        count = min(self.config.prompts_per_round, len(self.prompts))
        start = number * self.config.prompts_per_round
        return sorted(set(order[start : start + count]))

    def _draw(self, number: int, key: str, path: Path) -> None:
        rows, parts = self._chosen(number), path.with_suffix(".parts")
        per_chunk = max(1, self.config.candidate_batch // self.config.num_candidates)
        chunks = [rows[start : start + per_chunk] for start in range(0, len(rows), per_chunk)]
        parts.mkdir(parents=True, exist_ok=True)
        own = list(enumerate(chunks))[self.turns.rank :: self.turns.count]
        for place, chunk in tqdm(own, desc=f"candidates of round {number}", unit="batch", disable=self.turns.rank > 0):
            file = parts / f"{place:05d}.safetensors"
            if read_tensors(file, key) is None:
                self._draw_chunk(number, chunk, key, file)
        self.turns.wait()
        if self.turns.rank == 0:
            self._pair(number, rows, key, [parts / f"{place:05d}.safetensors" for place in range(len(chunks))], path)
            shutil.rmtree(parts)
        self.turns.wait()

    def _draw_chunk(self, number: int, rows: list[int], key: str, file: Path) -> None:
        parts = list(within_memory(rows, len(rows), lambda some: self._drawn(number, some)))
        save_tensors(file, {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, key)

    def _drawn(self, number: int, rows: Sequence[int]) -> dict[str, torch.Tensor]:
        """Latents, saturation and judgements of the candidates of some rows, those of a row together."""
        models, config = self.models, self.config
        facts = [self.data.cached.dataset.facts(row) for row in rows]
        batch = stack([self.data[Place(0, SampleKey(row))] for row in rows]).to(models.device)
        seeds = [candidate_seed(config.seed, number, one, k) for one in facts for k in range(config.num_candidates)]
        conditioning = repeat(conditions_of(batch, models, self.embeddings), config.num_candidates)
        latents = draw_latents(models, conditioning, noise_of(seeds, batch.latents.shape[1:]), config, self.autocast)
        pixels = decode_pixels(models, latents, self.autocast)
        judged = self.reward.judge(pixels, facts)
        mask = F.interpolate(conditioning.mask, scale_factor=VAE_FACTOR, mode="nearest")
        tensors = {"latents": latents.half(), "saturation": saturation(pixels, mask)}
        return tensors | {entry.name: getattr(judged, entry.name) for entry in fields(judged)}

    def _pair(self, number: int, rows: list[int], key: str, files: list[Path], path: Path) -> None:
        """Score the whole round, choose pairs, write them and one line a prompt."""
        chunks = [read_tensors(file, key) for file in files]
        if any(chunk is None for chunk in chunks):
            raise ValueError(f"{path.with_suffix('.parts')} lost a file while the round was drawn. Start again.")
        joined = {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
        judged = Judgements(*(joined[entry.name] for entry in fields(Judgements)))
        score = judged.score(self.config.judgement_weights)
        prompts, winners, losers, weights = choose_pairs(score, self.config.min_gap)
        if not len(prompts):
            raise ValueError(
                f"round {number}: no prompt has two candidates {self.config.min_gap} standard deviations apart. Lower "
                "--min_gap, or raise --num_candidates."
            )
        latents = joined["latents"].view(len(rows), self.config.num_candidates, *joined["latents"].shape[1:])
        lines = self._lines(number, rows, judged, score)
        save_text(path.with_suffix(".jsonl"), "".join(json.dumps(line) + "\n" for line in lines))
        tensors = {
            "rows": torch.tensor(rows)[prompts],
            "winners": latents[prompts, winners].contiguous(),
            "losers": latents[prompts, losers].contiguous(),
            "weights": weights,
            "saturation": joined["saturation"].mean()[None],
        }
        save_tensors(path, tensors, key)

    def _lines(self, number: int, rows: list[int], judged: Judgements, score: torch.Tensor) -> list[dict]:
        lines = []
        for place, row in enumerate(rows):
            facts = self.data.cached.dataset.facts(row)
            count = range(self.config.num_candidates)
            line = {"round": number, "article_id": facts.article_id, "category": facts.category}
            line |= {"week": facts.week.key if facts.week else None, "prompt": facts.caption}
            line |= {"seeds": [candidate_seed(self.config.seed, number, facts, k) for k in count]}
            line |= {e.name: getattr(judged, e.name)[place].tolist() for e in fields(judged)}
            lines.append(line | {"score": score[place].tolist()})
        return lines

    def _read(self, path: Path, number: int, key: str) -> Round | None:
        tensors = read_tensors(path, key)
        if tensors is None:
            return None
        samples = [self.data[Place(0, SampleKey(int(row)))] for row in tensors["rows"]]
        pairs = stack(samples)
        drift = float(tensors["saturation"][0])
        return Round(number, key, pairs, tensors["winners"], tensors["losers"], tensors["weights"], drift)


def round_order(config: DpoConfig, number: int, epoch: int, count: int) -> torch.Tensor:
    """Order of a round's pairs in its `epoch`-th pass."""
    generator = random_generator("cpu", config.seed, PROMPTS, number, epoch)
    return torch.randperm(count, generator=generator)
