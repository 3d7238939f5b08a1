"""What an update minimises in preference training: pairs of candidates, with real images as an anchor.

In: `Round`s of pairs and a `TemporalObjective` on real images. Out: `LossTerms`. Winner, loser, policy and reference
share noise and timestep; errors are masked means over pixels and channels in float32, under one and the same autocast.
The reference is the policy as it was before the first update. Knows nothing of optimizers.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import nn

from fashiondistill.diffusion.conditioning import Conditioning, predict
from fashiondistill.diffusion.losses import Noised, add_noise, squared_error
from fashiondistill.diffusion.preference import (
    WITHOUT_REFERENCE,
    PairErrors,
    calibrated_beta,
    gradient_scale,
    preference_loss,
    safeguard,
)
from train.adapters import without_adapter
from train.candidates import Round, round_order
from train.data import TrainBatch
from train.objectives import FREQUENCY, PAIRS, LossTerms, TemporalObjective, conditions_of, draw
from train.settings import DpoConfig
from train.starter.common import random_generator

START_BETA = 2000.0  # Diffusion-DPO's for Stable Diffusion 1.5, until it is calibrated
CALIBRATION_UPDATES = 30  # RECIPES, trial: by then the policy has moved enough to be measured
MEASURED_UPDATES = 10  # the last of them give the median
FIRST_TIMESTEP, LAST_TIMESTEP = 0.02, 0.98  # of all; at the ends pairs tell nothing
LOGIT_RANGE = (0.05, 1.5)  # median |logit| below: nothing is learnt; above: the loss is saturated
WINNER_RISE = 0.005  # of the winner's error over the reference's: displacement
SATURATION_DRIFT = 0.02  # of candidates against the first round's
WARN_EVERY = 50  # updates


class Rounds(Protocol):
    """Where pairs come from: `CandidateRounds` or `PickRounds`."""

    def open(self, number: int, expected_key: str | None = None) -> Round:
        """The pairs of round `number`; of a resumed run those of `expected_key`."""


class PreferenceObjective:
    """`dpo_weight` times the scaled preference loss plus `anchor_weight` times the loss on real images.

    Args:
        real: the objective on real images; its models are the policy.
        rounds: where pairs come from.
        config: weights, form of the loss.
    """

    def __init__(self, real: TemporalObjective, rounds: Rounds | None, config: DpoConfig) -> None:
        self.real, self.rounds, self.config = real, rounds, config
        self.models = real.models
        self.reference = None
        if config.dpo_weight and config.preference_loss not in WITHOUT_REFERENCE:
            self.reference = self._frozen_copy()
        self.round: Round | None = None
        self.beta = config.dpo_beta or START_BETA
        self.updates = 0
        self.differences: list[float] = []
        self.recent: dict[str, list[float]] = {"logit": [], "winner_change": []}
        self.first_saturation: float | None = None
        self._resumed_key: str | None = None

    def _frozen_copy(self) -> Callable | None:
        """A copy of the policy; None with a LoRA, where the policy without its adapter is the reference."""
        if self.models.adapter is not None:
            return None
        frozen = copy.deepcopy(self.models.unet).eval().requires_grad_(False)
        return torch.compile(frozen) if self.config.compile else frozen

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The UNet; the trend encoder stays, so that policy and reference see the same conditions."""
        return self.real.modules

    @property
    def rate_scales(self) -> Mapping[str, float]:
        """As on real images; the only module here has that of the run."""
        return self.real.rate_scales

    def active(self, step: int) -> bool:
        """Whether update `step` has the preference loss: --dpo_frequency of all have it."""
        config = self.config
        if not config.dpo_weight or not config.dpo_frequency:
            return False
        chance = torch.rand((), generator=random_generator("cpu", config.seed, FREQUENCY, step))
        return bool(chance < config.dpo_frequency)

    def begin_step(self, step: int) -> None:
        """Open the round that the update belongs to."""
        number = step // self.config.steps_per_round
        if self.rounds is None or (self.round is not None and self.round.number == number):
            return
        inside = step % self.config.steps_per_round > 0
        self.round = self.rounds.open(number, self._resumed_key if inside else None)
        self._resumed_key = None
        if self.first_saturation is None:
            self.first_saturation = self.round.saturation

    def loss(self, batch: TrainBatch, step: int) -> LossTerms:
        """The loss of as many pairs as there are real images in the micro-batch."""
        config, parts = self.config, {}
        total = batch.latents.new_zeros(())
        if config.anchor_weight:
            anchor = self.real.loss(batch, step)
            parts |= {name: value for name, value in anchor.parts.items() if name != "loss"}
            total = total + config.anchor_weight * anchor.total
        if self.rounds is not None and self.active(step):
            preference, found = self.pair_loss(batch.place)
            parts |= found
            total = total + config.dpo_weight * preference
        return LossTerms(total, parts | {"loss": total.detach()})

    def pair_loss(self, places: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The scaled loss of the pairs that stand at some places of the stream, and its parts."""
        config, device = self.config, self.models.device
        chosen = self._pairs_at(places)
        pairs = self.round.pairs.rows(chosen).to(device)
        pairs = TrainBatch(**(vars(pairs) | {"place": places}))
        pictures = [values[chosen].to(device).float() for values in (self.round.winners, self.round.losers)]
        count = len(self.models.alphas)
        low, high = int(FIRST_TIMESTEP * count), int(LAST_TIMESTEP * count)
        draws = draw(config, PAIRS, pairs, low=low, high=high, offset=0.0)
        errors, residuals = self._errors(pictures, pairs, (draws.noise, draws.timesteps))
        factor = torch.ones_like(errors.winner)
        if config.safeguard >= 0 and config.preference_loss != "rft":
            errors, factor = safeguard(errors, *residuals, strength=config.safeguard)
        weights = self.round.weights[chosen].to(device)
        losses = preference_loss(config.preference_loss, errors, self.beta, config.winner_penalty) * weights
        loss = gradient_scale(config.preference_loss, self.beta) * losses.mean()
        return loss, self._parts(loss, errors, factor)

    def _errors(
        self, pictures: Sequence[torch.Tensor], pairs: TrainBatch, shared: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[PairErrors, tuple[torch.Tensor, torch.Tensor]]:
        """Errors of policy and reference on winner and loser, and the policy's residuals inside the mask."""
        models = self.models
        noise, timesteps = shared
        both = torch.cat(list(pictures))
        noised = add_noise(both, noise.repeat(2, 1, 1, 1), timesteps.repeat(2), models.alphas, models.prediction_type)
        with self.real.autocast():
            with torch.no_grad():
                conditioning = conditions_of(pairs, models, self.real.embeddings)
            doubled = conditioning.cat(conditioning)
            reference = self._reference_output(noised, doubled)  # first: it may switch the adapter off and on
            output = predict(models.forward, models.layout, noised.noisy, noised.timesteps, doubled).float()
        mask = doubled.mask
        winner, loser = squared_error(output, noised, mask).chunk(2)
        residuals = ((output - noised.target) * mask).chunk(2)
        if reference is None:
            return PairErrors(winner, loser), residuals
        return PairErrors(winner, loser, *squared_error(reference, noised, mask).chunk(2)), residuals

    @torch.no_grad()
    def _reference_output(self, noised: Noised, conditioning: Conditioning) -> torch.Tensor | None:
        if self.config.preference_loss in WITHOUT_REFERENCE:
            return None
        inputs = (self.models.layout, noised.noisy, noised.timesteps, conditioning)
        if self.reference is not None:
            return predict(self.reference, *inputs).float()
        with without_adapter(self.models.unet):
            return predict(self.models.forward, *inputs).float()

    def _parts(self, loss: torch.Tensor, errors: PairErrors, factor: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = {"preference": loss, "winner_error": errors.winner.mean(), "loser_error": errors.loser.mean()}
        parts["safeguard"] = factor.mean()
        if errors.reference_winner is not None:
            difference = errors.difference()
            parts["accuracy"] = (difference < 0).float().mean()
            parts["median_difference"] = difference.abs().median()
            parts["winner_penalty"] = self.config.winner_penalty * errors.winner_rise().mean()
            parts["winner_change"] = (errors.winner / errors.reference_winner - 1).mean()
            parts["loser_change"] = (errors.loser / errors.reference_loser - 1).mean()
        return {name: value.detach() for name, value in parts.items()}

    def _pairs_at(self, places: torch.Tensor) -> torch.Tensor:
        count, found = len(self.round), []
        for place in places.tolist():
            epoch, offset = divmod(place, count)
            found.append(int(round_order(self.config, self.round.number, epoch, count)[offset]))
        return torch.tensor(found)

    def end_step(self, step: int, parts: Mapping[str, float]) -> Sequence[str]:
        """Measure, calibrate beta once, and say what goes wrong."""
        if "median_difference" not in parts:
            return ()
        self.updates += 1
        warnings: list[str] = []
        if not self.config.dpo_beta and self.updates <= CALIBRATION_UPDATES:
            self.differences = [*self.differences, parts["median_difference"]][-MEASURED_UPDATES:]
            if self.updates == CALIBRATION_UPDATES:
                self.beta = calibrated_beta(statistics.median(self.differences))
                warnings.append(f"step {step + 1}: beta calibrated to {self.beta:.0f} (median |logit| 0.3)")
        self.recent["logit"].append(self.beta / 2 * parts["median_difference"])
        self.recent["winner_change"].append(parts["winner_change"])
        if self.updates % WARN_EVERY == 0:
            warnings += self._warnings(step)
            self.recent = {name: [] for name in self.recent}
        return warnings

    def _warnings(self, step: int) -> list[str]:
        low, high = LOGIT_RANGE
        logit = statistics.median(self.recent["logit"])
        rise = statistics.mean(self.recent["winner_change"])
        drift = self.round.saturation - self.first_saturation
        found = []
        if logit < low:
            found.append(f"median |logit| {logit:.4f} is below {low}: nothing is learnt; raise --dpo_beta")
        if logit > high:
            found.append(f"median |logit| {logit:.2f} is above {high}: the loss is saturated; lower --dpo_beta")
        if rise > WINNER_RISE:
            found.append(f"the winners' error is {rise:.2%} above the reference's; raise --winner_penalty")
        if abs(drift) > SATURATION_DRIFT:
            found.append(f"candidates' saturation moved by {drift:+.3f} since the first round; stop earlier")
        return [f"step {step + 1}: {text}." for text in found]

    def state(self) -> dict:
        """beta and what it is measured from, the round, and how far warnings are."""
        return {
            "beta": self.beta,
            "updates": self.updates,
            "differences": self.differences,
            "recent": self.recent,
            "first_saturation": self.first_saturation,
            "round_key": self.round.key if self.round else None,
        }

    def restore(self, state: dict) -> None:
        """Take what `state` gave; the round is opened by the next update."""
        self.beta, self.updates, self.differences = state["beta"], state["updates"], state["differences"]
        self.recent, self.first_saturation = state["recent"], state["first_saturation"]
        self._resumed_key, self.round = state["round_key"], None
