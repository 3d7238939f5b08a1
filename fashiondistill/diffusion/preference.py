"""Losses over preferred and rejected pictures, as pure functions: DPO, IPO, KTO, MaPO and rejection fine-tuning.

In: mean squared errors of policy and reference on winner and loser, all with the same noise and timestep. Out: one loss
a pair. beta is meant as in Diffusion-DPO (Wallace et al. 2023, equation 14): logit = -beta / 2 times the difference of
differences, with errors that are means over pixels and channels. Knows nothing of models and of where pairs come from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

KINDS = ("dpo", "ipo", "kto", "mapo", "rft")
WITHOUT_REFERENCE = ("mapo", "rft")
WITH_LOGIT = ("dpo", "ipo")  # the only forms that a winner penalty can stand in
MAPO_SCALE, MAPO_WEIGHT = 0.5, 0.1  # of the errors inside the margin, and of the margin beside the winner's error


@dataclass(frozen=True, eq=False)
class PairErrors:
    """Errors [B] of the policy (with gradient) and of the reference (without; None if the loss needs none)."""

    winner: torch.Tensor
    loser: torch.Tensor
    reference_winner: torch.Tensor | None = None
    reference_loser: torch.Tensor | None = None

    def difference(self) -> torch.Tensor:
        """(e_w - ref e_w) - (e_l - ref e_l), [B]: below 0 where the policy leans to the winner."""
        if self.reference_winner is None or self.reference_loser is None:
            raise ValueError("this preference loss compares with a reference: give its errors.")
        return (self.winner - self.reference_winner) - (self.loser - self.reference_loser)

    def winner_rise(self) -> torch.Tensor:
        """max(0, e_w - ref e_w), [B]: how far the winner's error stands above the reference's."""
        if self.reference_winner is None:
            raise ValueError("this preference loss compares with a reference: give its errors.")
        return (self.winner - self.reference_winner).clamp(min=0)

    def logits(self, beta: float, winner_penalty: float = 0.0) -> torch.Tensor:
        """[B]: above 0 where the policy leans to the winner, by more than `winner_penalty` times its error's rise.

        The penalty is that of DPO-Positive (Pal et al. 2024, "Smaug", equation 3), errors in the place of negative
        log-likelihoods: a pair whose winner got worse is only solved when its loser got (1 + penalty) times as much
        worse. Where the winner is no worse than the reference's, nothing changes.
        """
        difference = self.difference()
        if winner_penalty:
            difference = difference + winner_penalty * self.winner_rise()
        return -beta / 2 * difference


def preference_loss(kind: str, errors: PairErrors, beta: float, winner_penalty: float = 0.0) -> torch.Tensor:
    """One loss a pair [B], before soft weights; `winner_penalty` as in `PairErrors.logits`, of dpo and ipo only.

    dpo: -log sigmoid(logit). ipo: (logit - 1/2)^2 (Azar et al. 2023, in the logit's unit). kto: winners as likes,
    losers as dislikes, 1 - sigmoid of each one's own reward around the batch's mean (Diffusion-KTO, Li et al. 2024).
    mapo: winner's error plus a margin without reference (Hong et al. 2024). rft: the winner's error alone.
    """
    if winner_penalty and kind not in WITH_LOGIT:
        raise ValueError(f"--winner_penalty {winner_penalty} has no place in --preference_loss {kind}: choose 0.")
    if kind == "dpo":
        return -F.logsigmoid(errors.logits(beta, winner_penalty))
    if kind == "ipo":
        return (errors.logits(beta, winner_penalty) - 0.5).square()
    if kind == "kto":
        return like_loss(errors.winner, errors.reference_winner, errors.loser, errors.reference_loser, beta)
    if kind == "mapo":
        odds = _odds(errors.winner) - _odds(errors.loser)
        return errors.winner - MAPO_WEIGHT * F.logsigmoid(odds)
    if kind == "rft":
        return errors.winner
    raise ValueError(f"--preference_loss {kind} is unknown: choose one of {', '.join(KINDS)}.")


def like_loss(
    liked: torch.Tensor,
    reference_liked: torch.Tensor | None,
    disliked: torch.Tensor,
    reference_disliked: torch.Tensor | None,
    beta: float,
) -> torch.Tensor:
    """KTO of likes and dislikes of the same number [B]; the two need not belong together."""
    if reference_liked is None or reference_disliked is None:
        raise ValueError("this preference loss compares with a reference: give its errors.")
    good, bad = -beta / 2 * (liked - reference_liked), -beta / 2 * (disliked - reference_disliked)
    middle = torch.cat([good, bad]).mean().detach().clamp(min=0)  # the reference point, as in KTO's own code
    return (1 - torch.sigmoid(good - middle)) + (1 - torch.sigmoid(middle - bad))


def gradient_scale(kind: str, beta: float) -> float:
    """Factor that gives every loss the gradient of e_w - e_l at a logit of 0.

    Without it the loss of beta = 2000 is a thousand times an image loss, and an anchor beside it has no effect.
    """
    return {"dpo": 4 / beta, "ipo": 2 / beta, "kto": 8 / beta}.get(kind, 1.0)


def soft_weight(gap: torch.Tensor) -> torch.Tensor:
    """2 p - 1 for the probability p = sigmoid(gap) that the winner is the better one; the gap in standard deviations.

    (SmPO, Lu et al. 2025.) 0 for equal candidates, so that noise in the reward is not learnt.
    """
    return torch.tanh(gap / 2)


def safeguard(
    errors: PairErrors, winner_residual: torch.Tensor, loser_residual: torch.Tensor, *, strength: float
) -> tuple[PairErrors, torch.Tensor]:
    """Scale the gradient of the loser's error by what a step along the UNet's output would do to the winner's (SDPO).

    lambda = min(1, (1 - mu) |g_w|^2 / <g_l, g_w>) with the gradients at the UNet's output, which are the residuals.
    That forbids a rise if the output itself is stepped. Training steps parameters, through which the two pictures'
    gradients overlap far more than at the output: there <g_l, g_w> is about half of |g_w|^2, so with mu = 0 lambda
    stays at 1, and the winners' error rose by 17 % all the same (docs/LOG.md, the first GPU run). So it bounds nothing
    by itself; `winner_penalty` acts on the rise that is measured.

    Args:
        errors: of the pairs; values stay as they are.
        winner_residual, loser_residual: output minus target inside the mask, [B, C, h, w].
        strength: mu, in [0, 1]; at the output, the winner's error falls at least by that share of what it would alone.

    Returns:
        The errors, and lambda [B].
    """
    winner, loser = winner_residual.detach().float().flatten(1), loser_residual.detach().float().flatten(1)
    inner = (winner * loser).sum(dim=1)
    allowed = (1 - strength) * winner.square().sum(dim=1) / inner.clamp(min=1e-12)
    factor = torch.where(inner > 0, allowed.clamp(max=1.0), 1.0)
    fixed = errors.loser.detach()
    return replace(errors, loser=fixed + factor * (errors.loser - fixed)), factor


def calibrated_beta(median_difference: float, *, target_logit: float = 0.3) -> float:
    """The beta with which a median |difference| gives a median |logit| of `target_logit`, within 10 to 1e6.

    0.3 is what RECIPES recommends 30 updates after the start.
    """
    return min(1e6, max(10.0, 2 * target_logit / max(median_difference, 1e-12)))


def _odds(error: torch.Tensor) -> torch.Tensor:
    """x / (exp(x) - 1) of the scaled error, 1 at 0 and falling: how likely the picture is, up to a factor."""
    scaled = MAPO_SCALE * error
    return scaled / torch.expm1(scaled).clamp(min=1e-12)
