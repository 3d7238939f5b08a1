"""Losses at values that can be worked out by hand, and their directions."""

from __future__ import annotations

import math

import pytest
import torch

from fashiondistill.diffusion import losses, preference
from fashiondistill.diffusion.preference import PairErrors

ALPHAS = torch.tensor([0.9, 0.5, 0.0])


def noised(prediction_type: str, steps: tuple[int, ...] = (0, 1)) -> tuple[losses.Noised, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    latents, noise = (torch.randn(len(steps), 4, 6, 4, generator=generator) for _ in range(2))
    return losses.add_noise(latents, noise, torch.tensor(steps), ALPHAS, prediction_type), latents


@pytest.mark.parametrize("prediction_type", [losses.EPSILON, losses.V_PREDICTION])
def test_the_target_stands_for_the_clean_latents(prediction_type: str) -> None:
    made, latents = noised(prediction_type)
    assert torch.allclose(made.clean(made.target), latents, atol=1e-5)
    assert losses.squared_error(made.target, made).max() == 0


def test_other_prediction_types_are_refused() -> None:
    with pytest.raises(ValueError, match="prediction_type 'sample' is not trained here"):
        noised("sample")


def test_min_snr_weights_are_those_of_the_paper() -> None:
    """SNR 9, 1 and 0 with gamma 5: epsilon min(SNR, 5) / SNR, v min(SNR, 5) / (SNR + 1)."""
    epsilon = losses.min_snr_weight(ALPHAS, gamma=5.0, prediction_type=losses.EPSILON)
    velocity = losses.min_snr_weight(ALPHAS, gamma=5.0, prediction_type=losses.V_PREDICTION)
    assert torch.allclose(epsilon, torch.tensor([5 / 9, 1.0, 1.0]))
    assert torch.allclose(velocity, torch.tensor([0.5, 0.5, 0.0]))


def test_min_snr_weighs_all_prediction_types_alike() -> None:
    """The same prediction costs the same, however the UNet says it (SNR 9 and 1)."""
    costs = []
    for prediction_type in (losses.EPSILON, losses.V_PREDICTION):
        made, latents = noised(prediction_type)
        guess = latents + 0.1
        kept, lost = made.alpha.sqrt()[:, None, None, None], (1 - made.alpha).sqrt()[:, None, None, None]
        noise = (made.noisy - kept * guess) / lost
        output = noise if prediction_type == losses.EPSILON else kept * noise - lost * guess
        weight = losses.min_snr_weight(made.alpha, gamma=5.0, prediction_type=prediction_type)
        costs.append(weight * losses.squared_error(output, made))
    assert torch.allclose(costs[0], costs[1], rtol=1e-4)
    assert torch.allclose(costs[0], torch.tensor([5.0, 1.0]) * 0.01, rtol=1e-3)  # min(SNR, 5) times the x_0 error


def test_masked_mean_counts_pixels_and_channels() -> None:
    values = torch.ones(1, 4, 2, 2)
    values[0, :, 0, 0] = 3.0
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert losses.masked_mean(values, mask).tolist() == [2.0]
    assert losses.masked_mean(values, None).tolist() == [1.5]
    with pytest.raises(ValueError, match="a mask of the batch is empty"):
        losses.masked_mean(values, mask * 0)


def test_trend_counts_by_alpha_and_not_in_the_noisiest_steps() -> None:
    made, _ = noised(losses.V_PREDICTION, steps=(0, 1, 2))
    assert losses.trend_weight(made, 3).tolist() == [pytest.approx(0.9), pytest.approx(0.5), 0.0]


def one_group(features: torch.Tensor, past: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    count = len(features)
    zeros, ones = torch.zeros(count, dtype=torch.int64), torch.ones(count)
    return losses.set_distance(features, past.expand(count, -1, -1), weights.expand(count, -1), zeros, ones)


def test_set_distance_in_closed_form() -> None:
    past, weights = torch.tensor([[[1.0], [3.0]]]), torch.tensor([[0.25, 0.75]])
    found = one_group(torch.tensor([[0.0]]), past, weights)
    sold = 2 * 0.25 * 0.75 * 2
    assert found.item() == pytest.approx(2 * (0.25 * 1 + 0.75 * 3) - sold, rel=1e-5)


def test_equal_sets_have_no_distance_and_a_missing_past_does_not_count() -> None:
    past, weights = torch.tensor([[[1.0], [3.0]]]), torch.tensor([[0.5, 0.5]])
    assert one_group(torch.tensor([[1.0], [3.0]]), past, weights).item() == pytest.approx(0, abs=1e-5)
    assert one_group(torch.tensor([[1.0], [3.0]]), past, weights * 0).item() == 0


def test_the_set_loss_pulls_from_any_distance() -> None:
    features = torch.tensor([[1e4]], requires_grad=True)
    one_group(features, torch.tensor([[[0.0]]]), torch.ones(1, 1)).backward()
    assert features.grad.item() == pytest.approx(2)


def test_groups_are_compared_each_with_its_own_past() -> None:
    features = torch.tensor([[0.0], [5.0]])
    past = torch.tensor([[[0.0]], [[5.0]]])
    weights, counted = torch.ones(2, 1), torch.ones(2)
    apart = losses.set_distance(features, past, weights, torch.tensor([0, 1]), counted)
    crossed = losses.set_distance(features, past.flip(0), weights, torch.tensor([0, 1]), counted)
    assert apart.item() == pytest.approx(0, abs=1e-5) and crossed.item() > 1


def test_the_set_loss_keeps_variety_where_the_mean_takes_it() -> None:
    """Two garments between two bestsellers: the set loss moves them apart, the mean pulls both to the middle."""
    past, weights = torch.tensor([[[-1.0], [1.0]]]), torch.tensor([[0.5, 0.5]])
    features = torch.tensor([[-0.1], [0.1]], requires_grad=True)
    one_group(features, past, weights).backward()
    assert features.grad[0] > 0 > features.grad[1]
    features.grad = None
    losses.mean_distance(features, past.expand(2, -1, -1), weights.expand(2, -1), torch.ones(2)).backward()
    assert features.grad[0] < 0 < features.grad[1]


def errors(difference: float = -0.001, *, gradient: bool = False) -> PairErrors:
    winner, loser = (torch.tensor([v], dtype=torch.float64, requires_grad=gradient) for v in (0.101 + difference, 0.2))
    return PairErrors(
        winner, loser, torch.tensor([0.101], dtype=torch.float64), torch.tensor([0.2], dtype=torch.float64)
    )


def test_dpo_and_its_relatives_at_a_logit_of_one() -> None:
    """beta 2000 and a difference of -0.001: logit = -beta / 2 * difference = 1, the documented convention."""
    found = {kind: preference.preference_loss(kind, errors(), 2000.0).item() for kind in preference.KINDS}
    assert errors().logits(2000.0).item() == pytest.approx(1)
    assert found["dpo"] == pytest.approx(math.log(1 + math.exp(-1)))
    assert found["ipo"] == pytest.approx(0.25)
    middle = 0.5  # the mean of the rewards 1 and 0
    sigmoid = 1 / (1 + math.exp(-middle))
    assert found["kto"] == pytest.approx(2 * (1 - sigmoid))
    assert found["rft"] == pytest.approx(0.1)
    odds = [0.5 * e / math.expm1(0.5 * e) for e in (0.1, 0.2)]
    assert found["mapo"] == pytest.approx(0.1 + 0.1 * math.log(1 + math.exp(odds[1] - odds[0])))


def test_dpo_is_ln_two_where_the_policy_is_its_reference() -> None:
    assert preference.preference_loss("dpo", errors(0.0), 2000.0).item() == pytest.approx(math.log(2))
    with pytest.raises(ValueError, match="unknown: choose one of dpo, ipo"):
        preference.preference_loss("ppo", errors(), 1.0)
    with pytest.raises(ValueError, match="compares with a reference"):
        preference.preference_loss("dpo", PairErrors(torch.ones(1), torch.ones(1)), 1.0)


@pytest.mark.parametrize("kind", ["dpo", "ipo", "kto"])
@pytest.mark.parametrize("beta", [100.0, 5000.0])
def test_scaled_losses_have_the_gradient_of_the_errors_whatever_beta_is(kind: str, beta: float) -> None:
    pair = errors(0.0, gradient=True)
    (preference.gradient_scale(kind, beta) * preference.preference_loss(kind, pair, beta)).sum().backward()
    assert pair.winner.grad.item() == pytest.approx(1) and pair.loser.grad.item() == pytest.approx(-1)


def test_the_winner_penalty_stands_inside_the_logit() -> None:
    """Pal et al. 2024, equation 3, by hand: winner 0.003 above its reference, loser 0.005, penalty 2, beta 1000."""
    pair = PairErrors(*(torch.tensor([v], dtype=torch.float64) for v in (0.103, 0.205, 0.1, 0.2)))
    assert pair.logits(1000.0).item() == pytest.approx(1)  # plain DPO calls it solved, though the winner got worse
    assert pair.logits(1000.0, 2.0).item() == pytest.approx(-500 * (0.003 - 0.005 + 2 * 0.003))
    assert preference.preference_loss("dpo", pair, 1000.0, 2.0).item() == pytest.approx(math.log(1 + math.exp(2)))
    assert preference.preference_loss("ipo", pair, 1000.0, 2.0).item() == pytest.approx(2.5**2)
    better = errors()  # its winner is no worse than the reference's
    for kind in preference.WITH_LOGIT:
        plain = preference.preference_loss(kind, better, 2000.0)
        assert torch.equal(preference.preference_loss(kind, better, 2000.0, 50.0), plain)
    for kind in set(preference.KINDS) - set(preference.WITH_LOGIT):
        with pytest.raises(ValueError, match="--winner_penalty 2.0 has no place"):
            preference.preference_loss(kind, pair, 1000.0, 2.0)


@pytest.mark.parametrize(("difference", "factor"), [(-0.001, 1.0), (0.001, 6.0)])
def test_the_penalty_pulls_a_raised_winner_down_and_leaves_others_alone(difference: float, factor: float) -> None:
    """At equal sigmoids the gradient on a raised winner is 1 + penalty times that on its loser."""
    pair = errors(difference, gradient=True)
    preference.preference_loss("dpo", pair, 2000.0, 5.0).sum().backward()
    assert pair.winner.grad.item() > 0 > pair.loser.grad.item()
    assert pair.winner.grad.item() == pytest.approx(-factor * pair.loser.grad.item())


def step_of_shared_weight(penalty: float) -> float:
    """Change of the winner's error by a step on the one weight of a model that draws both pictures."""
    weight = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    inputs, targets = torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([1.1, 2.5], dtype=torch.float64)
    error = lambda: (weight * inputs - targets).square()  # noqa: E731
    fixed = error().detach() - torch.tensor([1e-4, 0.0], dtype=torch.float64)  # the winner stands above its reference
    pair = PairErrors(*error().view(2, 1), *fixed.view(2, 1))
    (preference.gradient_scale("dpo", 2000.0) * preference.preference_loss("dpo", pair, 2000.0, penalty)).backward()
    with torch.no_grad():
        weight -= 1e-4 * weight.grad
        return (error()[0] - pair.winner.item()).item()


def test_with_a_shared_weight_only_the_penalty_brings_the_winner_back() -> None:
    assert step_of_shared_weight(0.0) > 0  # the residuals never meet, so the safeguard would leave this alone
    assert step_of_shared_weight(20.0) < 0


def test_soft_weights_and_calibration() -> None:
    assert preference.soft_weight(torch.tensor([0.0])).item() == 0
    chance = 1 / (1 + math.exp(-2))
    assert preference.soft_weight(torch.tensor([2.0])).item() == pytest.approx(2 * chance - 1)
    assert preference.calibrated_beta(3e-4) == pytest.approx(2000)
    assert preference.calibrated_beta(0.0) == 1e6 and preference.calibrated_beta(1e9) == 10


def step_of(strength: float | None) -> tuple[float, float]:
    """Winner's error before and after a small step on one shared output, where the loser's push is the stronger."""
    output = torch.tensor([[[[1.0, 1.0]]]], dtype=torch.float64, requires_grad=True)
    winner, loser = (torch.tensor([[[v]]], dtype=torch.float64) for v in ([0.5, 1.2], [-3.0, 0.5]))
    pair = PairErrors((output - winner).square().mean(dim=(1, 2, 3)), (output - loser).square().mean(dim=(1, 2, 3)))
    before = pair.winner.item()
    if strength is not None:
        pair, factor = preference.safeguard(pair, output - winner, output - loser, strength=strength)
        assert 0 < factor.item() < 1
    (pair.winner - pair.loser).sum().backward()
    moved = output.detach() - 1e-4 * output.grad
    return before, (moved - winner).square().mean().item()


def test_the_safeguard_keeps_the_winners_error_from_rising() -> None:
    before, after = step_of(None)
    assert after > before  # displacement: without it, pushing the loser away costs the winner
    for strength in (0.0, 0.9):
        before, after = step_of(strength)
        assert after <= before + 1e-9
    free, tight = (before - step_of(s)[1] for s in (0.0, 0.9))
    assert tight > free


def test_the_safeguard_changes_no_value_and_leaves_opposite_gradients_alone() -> None:
    residual = torch.ones(1, 1, 2, 2)
    pair = PairErrors(torch.tensor([1.0]), torch.tensor([1.0]))
    guarded, factor = preference.safeguard(pair, residual, -residual, strength=0.9)
    assert factor.item() == 1 and guarded.loser.item() == 1
