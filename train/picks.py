"""Designers' picks as a round of pairs: read from the studio's store instead of drawn and judged by CLIP.

In: a studio.sqlite or exported picks. Out: one and the same `Round` whenever it is opened: winners and losers as the
model's latents, conditions as the studio had them: sketch, words, mask, and the past of the pick's week, which comes
from the data set of the training, as that of its other samples does (a week that it does not know has none). Every
favourite makes a pair with each of its losers, and each pair counts the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from fashiondistill.data.weeks import Week
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.diffusion.conditioning import Conditioning
from fashiondistill.diffusion.trend import season_of
from fashiondistill.images import to_model
from fashiondistill.store import Pick, read_picks
from fashiondistill.store.designs import read_mask, read_picture, read_sketch
from train.candidates import Round
from train.data import CATEGORY_PLACE, stack
from train.files import save_text
from train.models import TrainingModels
from train.rewards import saturation
from train.settings import DpoConfig

PastOf = Callable[[str, Week], Sequence[tuple[int, float]]]


class PickRounds:
    """The pairs of --preferences, read and encoded once.

    Args:
        models: their autoencoder and text encoder encode; they are frozen.
        config: names the file and the size of pictures.
        past: (category, week) -> rows of the articles that sold before, with weights; see `TrainingSet.past_before`.
        leads: whether this process writes rounds/picks.jsonl, which says what was learnt from.

    Raises:
        FileNotFoundError, ValueError: if there is nothing to read, or no pick that may be used.
    """

    def __init__(self, models: TrainingModels, config: DpoConfig, *, past: PastOf, leads: bool = True) -> None:
        self.models, self.config = models, config
        self.picks = read_picks(Path(config.preferences))
        if not self.picks:
            raise ValueError(
                f"--preferences {config.preferences} holds no pick that may be used: no favourite with a sibling that "
                "is none, or everybody opted out. Pick favourites in the studio, or leave the flag out."
            )
        self.pasts = [past(pick.category, Week.parse(pick.week)) for pick in self.picks]
        self.past_length = max(1, *map(len, self.pasts))
        self.key = self._key()
        self._round: Round | None = None
        if leads:
            folder = Path(config.output_dir) / "rounds"
            folder.mkdir(parents=True, exist_ok=True)
            save_text(folder / "picks.jsonl", "".join(json.dumps(_line(pick)) + "\n" for pick in self.picks))

    def describe(self) -> str:
        """How many picks and pairs, and which models drew them."""
        drawn = Counter(pick.model for pick in self.picks)
        by_model = ", ".join(f"{model} ({count})" for model, count in drawn.most_common())
        pairs = sum(len(pick.losers) for pick in self.picks)
        known = sum(map(bool, self.pasts))
        return (
            f"{len(self.picks)} picks, {pairs} pairs from {self.config.preferences}; drawn by {by_model}; {known} in "
            "weeks with a past in --dataset_path"
        )

    def open(self, number: int, expected_key: str | None = None) -> Round:
        """The pairs; the same ones in every round.

        Raises:
            ValueError: if a resumed run stands inside a round of other picks.
        """
        if expected_key and expected_key != self.key:
            raise ValueError(
                f"--preferences {self.config.preferences} holds other picks than when the checkpoint was written. Give "
                "the file of then, resume from the end of a round, or start anew in another --output_dir."
            )
        if self._round is None:
            self._round = self._encode()
        one = self._round
        return Round(number, self.key, one.pairs, one.winners, one.losers, one.weights, one.saturation)

    def _key(self) -> str:
        text = json.dumps([[_line(pick) for pick in self.picks], self.pasts, list(self.config.image_size)])
        frozen = (self.models.pipeline.vae, self.models.pipeline.text_encoder)
        return hashlib.sha256("".join(weights_id(module, text) for module in frozen).encode()).hexdigest()

    @torch.no_grad()
    def _encode(self) -> Round:
        samples, winners, losers, colours = [], [], [], []
        for pick, past in zip(self.picks, self.pasts, strict=True):
            conditioning = self._conditioning(pick)
            sides = [self._picture(one.file) for one in (pick.winner, *pick.losers)]
            pixels = torch.from_numpy(to_model(np.stack(sides)))
            latents = self.models.pipeline.encode_image(pixels).half().cpu()
            mask = torch.nn.functional.interpolate(conditioning.mask.float().cpu(), pixels.shape[2:])
            colours.append(saturation(pixels, mask.expand(len(pixels), -1, -1, -1)))
            for loser in latents[1:]:
                winners.append(latents[0])
                losers.append(loser)
                samples.append(self._sample(pick, past, conditioning, latents[0]) | {"row": torch.tensor(len(samples))})
        pairs = stack(samples)
        drift = float(torch.cat(colours).mean())
        return Round(0, self.key, pairs, torch.stack(winners), torch.stack(losers), torch.ones(len(pairs)), drift)

    def _conditioning(self, pick: Pick) -> Conditioning:
        """As `GarmentPipeline.stream` makes it of the request."""
        sketch = self._resized(read_sketch(pick.sketch.read_bytes()))
        mask = None if pick.mask is None else self._resized(read_mask(pick.mask.read_bytes()))
        image = None if pick.image is None else self._picture(pick.image)
        image, mask = self.models.pipeline.canvas(sketch, image, mask)
        return self.models.pipeline.condition(pick.prompt, sketch, image, mask)

    def _sample(
        self, pick: Pick, past: Sequence[tuple[int, float]], found: Conditioning, latents: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        rows, weights = torch.zeros(self.past_length, dtype=torch.int64), torch.zeros(self.past_length)
        for number, (article, weight) in enumerate(past):
            rows[number], weights[number] = article, weight
        sketch = found.sketch if found.sketch is not None else torch.zeros_like(found.mask)
        return {
            "place": torch.tensor(0),  # set anew by every update
            "latents": latents.float(),
            "masked_latents": found.masked_latents[0].float().cpu(),
            "mask": found.mask[0].float().cpu(),
            "sketch": sketch[0].float().cpu(),
            "text_states": found.encoder_hidden_states[0].float().cpu(),
            "past_rows": rows,
            "past_weights": weights,
            "category": torch.tensor(CATEGORY_PLACE[pick.category]),
            "season": torch.tensor(season_of(Week.parse(pick.week))),
        }

    def _picture(self, path: Path) -> np.ndarray:
        return self._resized(read_picture(path.read_bytes()))

    def _resized(self, values: np.ndarray) -> np.ndarray:
        height, width = self.config.image_size
        if values.shape[:2] == (height, width):
            return values
        smaller = height * width < values.shape[0] * values.shape[1]
        return cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def _line(pick: Pick) -> dict:
    """What a pick was, without its pictures; the files' names are their contents' digests."""
    sides: Sequence = (pick.winner, *pick.losers)
    return {
        "time": pick.time,
        "category": pick.category,
        "week": pick.week,
        "prompt": pick.prompt,
        "seed": pick.seed,
        "model": pick.model,
        "sketch": pick.sketch.name,
        "mask": pick.mask.name if pick.mask else None,
        "candidates": [one.candidate for one in sides],
        "files": [one.file.name for one in sides],
    }
