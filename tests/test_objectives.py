"""What training minimises: every term moves the UNet, draws depend on their place alone, equivalent runs are equal."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fashiondistill.data.dataset import SampleKey
from fashiondistill.diffusion.conditioning import Conditioning, predict
from fashiondistill.diffusion.trend import TrendEncoder, load_trend_encoder
from fashiondistill.scoring import ClipScorer
from tests import tiny
from tests.training import Ground, make_ground
from train import candidates, dpo, drawing, objectives, rewards
from train.data import Place, Share, Stream, TrainBatch, stack
from train.loop import Trainer
from train.proof.ensemble import EnsembleScorer
from train.runs import Workplace, open_workplace
from train.tables import embed_articles, latent_table


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def batch_of(place: Workplace, places: range = range(4)) -> TrainBatch:
    stream = Stream(len(place.data), Share(len(places), 1), seed=0)
    return stack([place.data[Place(p, stream.key_of(p))] for p in places]).to(place.models.device)


def temporal_objective(ground: Ground, out: Path, **changes: object) -> tuple[objectives.TemporalObjective, TrainBatch]:
    config = ground.temporal(out, **{"condition_dropout": 0.0, "trend_dropout": 0.0} | changes)
    place = open_workplace(config, trend_tokens=config.trend_tokens)
    features = latent_table(place.data.cached, place.table, place.models.device)
    made = objectives.TemporalObjective(place.models, place.table.embeddings, features, config, place.world.autocast)
    return made, batch_of(place)


def gradient_norms(module: torch.nn.Module) -> list[float]:
    return [float(p.grad.norm()) if p.grad is not None else 0.0 for p in module.parameters()]


def with_past(batch: TrainBatch) -> TrainBatch:
    assert (batch.past_weights.sum(dim=1) > 0).any()
    return batch


@pytest.mark.parametrize("form", ["set", "mean"])
def test_the_trend_loss_alone_moves_the_unet(ground: Ground, tmp_path: Path, form: str) -> None:
    objective, batch = temporal_objective(ground, tmp_path, temporal_loss=form)
    models, batch = objective.models, with_past(batch)
    timesteps = torch.full((len(batch),), 300)
    noised = objectives.add_noise(
        batch.latents, torch.randn_like(batch.latents), timesteps, models.alphas, models.prediction_type
    )
    conditioning = objectives.conditions_of(batch, models, objective.embeddings)
    output = predict(models.unet, models.layout, noised.noisy, timesteps, conditioning)
    loss = objective.trend_loss(output, noised, batch)
    loss.backward()
    assert loss.item() > 0
    assert gradient_norms(models.unet)[0] > 0 and sum(n > 0 for n in gradient_norms(models.unet)) > 10
    assert max(gradient_norms(models.trend)) > 0


def test_denoising_moves_the_unet_and_the_trend_encoder(ground: Ground, tmp_path: Path) -> None:
    objective, batch = temporal_objective(ground, tmp_path, temporal_loss_weight=0.0)
    terms = objective.loss(with_past(batch), 0)
    terms.total.backward()
    assert set(terms.parts) == {"denoising", "loss"}
    assert min(gradient_norms(objective.models.unet)) >= 0 and gradient_norms(objective.models.unet)[0] > 0
    assert max(gradient_norms(objective.models.trend)) > 0
    assert all(p.grad is None for p in objective.models.pipeline.text_encoder.parameters())


def test_terms_add_up_with_their_weights(ground: Ground, tmp_path: Path) -> None:
    objective, batch = temporal_objective(ground, tmp_path, temporal_loss_weight=0.3)
    parts = objective.loss(batch, 0).parts
    assert parts["loss"].item() == pytest.approx(parts["denoising"].item() + 0.3 * parts["temporal"].item(), rel=1e-5)
    assert parts["temporal"].item() > 0


@pytest.fixture
def pairs(ground: Ground, tmp_path: Path) -> Iterator[tuple[dpo.PreferenceObjective, TrainBatch]]:
    config = ground.dpo(tmp_path / "dpo")
    place = open_workplace(config)
    yield dpo.make_objective(config, place), batch_of(place, range(2))


@pytest.mark.parametrize("kind", ["dpo", "ipo", "kto", "mapo", "rft"])
def test_every_preference_loss_moves_the_unet_and_prefers_the_winner(
    pairs: tuple[dpo.PreferenceObjective, TrainBatch], kind: str
) -> None:
    objective, batch = pairs
    object.__setattr__(objective.config, "preference_loss", kind)
    object.__setattr__(objective.config, "safeguard", -1.0)
    objective.begin_step(0)
    unet = objective.models.unet
    optimizer = torch.optim.SGD(unet.parameters(), lr=1e-4)
    loss, before = objective.pair_loss(batch.place)
    loss.backward()
    assert gradient_norms(unet)[0] > 0
    optimizer.step()
    _, after = objective.pair_loss(batch.place)
    assert after.get("winner_penalty", torch.zeros(1)).item() == 0  # off
    lean = {
        n: (p["winner_error"] - (0 if kind == "rft" else p["loser_error"])).item()
        for n, p in (("before", before), ("after", after))
    }
    assert lean["after"] < lean["before"]


def test_the_reference_stays_and_equals_the_policy_at_the_start(pairs) -> None:
    objective, batch = pairs
    objective.begin_step(0)
    loss, parts = objective.pair_loss(batch.place)
    weights = objective.round.weights[objective._pairs_at(batch.place)]
    assert parts["median_difference"] == 0
    scale = 4 / objective.beta
    assert loss.item() == pytest.approx(scale * 0.6931472 * weights.mean().item(), rel=1e-5)
    assert not any(p.requires_grad for p in objective.reference.parameters())
    with torch.no_grad():
        objective.models.unet.conv_in.weight.add_(0.01)
    assert objective.pair_loss(batch.place)[1]["median_difference"] > 0


def test_the_penalty_is_a_part_of_its_own_and_brings_the_winner_back(pairs) -> None:
    objective, batch = pairs
    objective.config = dataclasses.replace(objective.config, winner_penalty=20.0, safeguard=-1.0)
    objective.begin_step(0)
    unet = objective.models.unet
    with torch.no_grad():
        unet.conv_out.weight.add_(0.05)  # the winners' error rises
    optimizer = torch.optim.SGD(unet.parameters(), lr=1e-4)
    loss, before = objective.pair_loss(batch.place)
    rise = before["winner_error"] - objective.pair_loss(batch.place)[1]["winner_error"]
    assert rise == 0 and before["winner_change"] > 0 and before["winner_penalty"] > 0
    loss.backward()
    optimizer.step()
    _, after = objective.pair_loss(batch.place)
    assert after["winner_error"] < before["winner_error"]
    assert after["winner_penalty"] < before["winner_penalty"]


def test_beta_is_calibrated_once_and_bad_signs_are_said(pairs) -> None:
    objective, _ = pairs
    objective.begin_step(0)
    said = []
    for step in range(50):
        parts = {"median_difference": 1e-4, "winner_change": 0.02}
        said += objective.end_step(step, parts)
    assert objective.beta == pytest.approx(6000) and "beta calibrated to 6000" in said[0]
    assert any("winners' error is 2.00% above" in text for text in said)
    restored = objective.state()
    objective.config = dataclasses.replace(objective.config, dpo_beta=0.1)
    objective.beta = 0.1
    objective.first_saturation = objective.round.saturation - 0.1
    said = [text for step in range(50) for text in objective.end_step(step, parts)]
    assert any("nothing is learnt; raise --dpo_beta" in text for text in said)
    assert any("saturation moved by +0.100" in text for text in said)
    objective.restore(restored)
    assert objective.beta == pytest.approx(6000)


def test_frequency_is_drawn_per_update(pairs) -> None:
    objective, batch = pairs
    objective.config = dataclasses.replace(objective.config, dpo_frequency=0.3)
    active = [objective.active(step) for step in range(400)]
    assert 0.2 < sum(active) / 400 < 0.4
    objective.begin_step(0)
    quiet = active.index(False)
    assert "preference" not in objective.loss(batch, quiet).parts


def test_draws_depend_on_the_place_alone(ground: Ground, tmp_path: Path) -> None:
    objective, batch = temporal_objective(ground, tmp_path)
    config = objective.config
    whole = objectives.draw(config, objectives.REAL, batch, low=0, high=1000, offset=0.1)
    part = objectives.draw(config, objectives.REAL, batch.rows(slice(2, 4)), low=0, high=1000, offset=0.1)
    assert torch.equal(whole.noise[2:], part.noise) and torch.equal(whole.timesteps[2:], part.timesteps)
    other = objectives.draw(config, objectives.PAIRS, batch, low=0, high=1000, offset=0.1)
    assert not torch.equal(whole.noise, other.noise)


def test_micro_batches_of_all_processes_tile_the_stream() -> None:
    alone = [list(r) for step in range(2) for r in Share(2, 4).places(step)]
    shared = [[list(r) for r in Share(2, 2, rank, 2).places(step)] for step in range(2) for rank in range(2)]
    assert alone == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15]]
    assert sorted(sum(sum(shared, []), [])) == list(range(16))
    assert shared[0] == [[0, 1], [4, 5]] and shared[1] == [[2, 3], [6, 7]]
    stream = Stream(5, Share(2, 1), seed=1)
    assert sorted(stream.key_of(p).index for p in range(5)) == list(range(5))
    assert [stream.key_of(p).epoch for p in (4, 5)] == [0, 1]


def run(ground: Ground, out: Path, *, as_dpo: bool = False, **changes: object) -> Trainer:
    config = ground.dpo(out, **changes) if as_dpo else ground.temporal(out, **changes)
    place = open_workplace(config, trend_tokens=None if as_dpo else config.trend_tokens)
    if as_dpo:
        objective = dpo.make_objective(config, place)
    else:
        features = latent_table(place.data.cached, place.table, place.models.device)
        objective = objectives.TemporalObjective(
            place.models, place.table.embeddings, features, config, place.world.autocast
        )
    trainer = Trainer(config, place.world, objective, place.data, identity=place.identity)
    trainer.run()
    return trainer


def test_the_trend_encoder_has_a_learning_rate_of_its_own(ground: Ground, tmp_path: Path) -> None:
    config = ground.temporal(tmp_path, max_train_steps=10, trend_lr_scale=7.0, learning_rate=1e-3, warmup_share=0.2)
    place = open_workplace(config, trend_tokens=config.trend_tokens)
    features = latent_table(place.data.cached, place.table, place.models.device)
    settings = (place.models, place.table.embeddings, features, config, place.world.autocast)
    objective = objectives.TemporalObjective(*settings, trend_lr_scale=config.trend_lr_scale)
    trainer = Trainer(config, place.world, objective, place.data, identity=place.identity)
    before = place.models.trend.out.bias.detach().clone()
    trainer.update([batch_of(place)])
    rates = [group["lr"] for group in trainer.state.optimizer.param_groups]
    assert rates == pytest.approx([5e-4, 3.5e-3])  # half of the warm-up
    moved = (place.models.trend.out.bias - before).abs().max().item()
    assert moved == pytest.approx(3.5e-3, rel=0.05)  # Adam's first step is the learning rate


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.state.parameters()])


def test_one_batch_of_four_is_four_of_one(ground: Ground, tmp_path: Path) -> None:
    same = {"max_train_steps": 2, "temporal_loss_weight": 0.0}
    whole = run(ground, tmp_path / "a", batch_size=4, gradient_accumulation_steps=1, **same)
    parts = run(ground, tmp_path / "b", batch_size=1, gradient_accumulation_steps=4, **same)
    assert torch.allclose(weights(whole), weights(parts), atol=2e-4)
    assert (weights(whole) - weights(parts)).norm() < 1e-3 * (weights(whole)).norm()


def test_no_preference_is_temporal_training(ground: Ground, tmp_path: Path) -> None:
    temporal = run(ground, tmp_path / "a", trend_tokens=0, max_train_steps=2)
    anchored = run(ground, tmp_path / "b", as_dpo=True, dpo_weight=0.0, anchor_weight=1.0, max_train_steps=2)
    assert torch.equal(weights(temporal), weights(anchored))
    assert not (tmp_path / "b" / "rounds").exists()


def test_unseen_trend_tokens_are_no_tokens() -> None:
    pipeline = tiny.pipeline()
    generator = torch.Generator().manual_seed(1)
    shapes = ((2, 77, tiny.TEXT_WIDTH), (2, 1, 16, 12), (2, 4, 16, 12))
    states, mask, masked = (torch.randn(shape, generator=generator) for shape in shapes)
    plain = Conditioning(states, mask, masked, sketch=mask)
    noisy, steps = torch.randn(2, 4, 16, 12, generator=generator), torch.tensor([500, 500])
    tokens = torch.randn(2, 4, tiny.TEXT_WIDTH, generator=generator)
    trend = dataclasses.replace(plain, trend=tokens, trend_seen=torch.tensor([[0.0] * 4, [1.0] * 4]))
    with torch.no_grad():
        without, with_tokens = (predict(pipeline.unet, pipeline.layout, noisy, steps, c) for c in (plain, trend))
    assert torch.allclose(without[0], with_tokens[0], atol=1e-5)
    assert not torch.allclose(without[1], with_tokens[1], atol=1e-5)
    dropped = trend.without(torch.tensor([False, True]), states[:1])
    assert dropped.trend_seen.tolist() == [[0.0] * 4, [0.0] * 4]


def test_new_tokens_are_as_large_as_text_states_and_older_folders_keep_theirs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder, inputs = TrendEncoder(8, 256, 4).eval(), (torch.tensor([0]), torch.zeros(1, 2))
    items = torch.nn.functional.normalize(torch.randn(1, 3, 8), dim=2)
    scale = encoder(items, torch.full((1, 3), 1 / 3), *inputs).std().item()
    assert 0.7 < scale < 1.3
    torch.nn.init.normal_(encoder.out.weight, std=0.02)  # as encoders began before
    encoder.save(tmp_path / "trend")
    weights = torch.full((1, 3), 1 / 3)
    assert torch.equal(load_trend_encoder(tmp_path / "trend").eval()(items, weights, *inputs),
                       encoder(items, weights, *inputs))  # fmt: skip


def test_trend_tokens_follow_the_weights_and_not_the_padding(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = TrendEncoder(8, 16, 4).eval()
    items = torch.nn.functional.normalize(torch.randn(2, 3, 8), dim=2)
    category, season = torch.tensor([0, 0]), torch.zeros(2, 2)
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]])
    items[1] = items[0]
    tokens = encoder(items, weights, category, season)
    assert not torch.allclose(tokens[0], tokens[1])
    items[:, 2] = 5.0  # padding
    assert torch.equal(tokens, encoder(items, weights, category, season))
    assert encoder(items, weights * 0, category, season).isfinite().all()
    encoder.save(tmp_path / "trend")
    assert torch.equal(load_trend_encoder(tmp_path / "trend")(items, weights, category, season), tokens)
    (tmp_path / "trend" / "config.json").write_text("{")
    with pytest.raises(ValueError, match="trend encoder: .* is damaged"):
        load_trend_encoder(tmp_path / "trend")


def test_scores_use_the_pooled_spread_so_that_two_candidates_can_be_near() -> None:
    judged = rewards.Judgements(*(torch.tensor([[0.0, 1.0], [0.5, 0.51]]) for _ in range(3)))
    score = judged.score((0.6, 0.4, 0.0))
    prompts, winners, losers, found = candidates.choose_pairs(score, 0.5)
    assert prompts.tolist() == [0] and winners.tolist() == [1] and losers.tolist() == [0]
    assert 0 < found.item() < 1
    assert torch.equal(rewards.Judgements(*[torch.ones(2, 2)] * 3).score((1, 1, 1)), torch.zeros(2, 2))


def test_judgement_weights_decide_who_wins() -> None:
    first, second, third = (torch.tensor([row]) for row in ([1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.5, 1.0]))
    judged = rewards.Judgements(first, second, third)
    assert [judged.score(w).argmax().item() for w in ((1, 0, 0), (0, 1, 0), (0, 0, 1))] == [0, 1, 2]


def test_candidate_seeds_are_fresh_in_every_round_and_the_same_everywhere(ground: Ground, tmp_path: Path) -> None:
    place = open_workplace(ground.dpo(tmp_path))
    facts = [place.data.cached.dataset.facts(row) for row in range(3)]
    seeds = {candidates.candidate_seed(42, r, f, k) for r in range(3) for f in facts for k in range(4)}
    assert len(seeds) == 36
    assert candidates.candidate_seed(42, 0, facts[0], 0) == candidates.candidate_seed(42, 0, facts[0], 0)
    noise = candidates.noise_of([1, 2], (4, 16, 12))
    assert torch.equal(noise[1:], candidates.noise_of([2], (4, 16, 12)))


def test_recorded_seeds_draw_the_winners_again_and_the_judgements_are_cosines(ground: Ground, tmp_path: Path) -> None:
    config = ground.dpo(tmp_path, num_candidates=3)
    place = open_workplace(config)
    objective = dpo.make_objective(config, place)
    models, dataset = place.models, place.data.cached.dataset
    lines = [json.loads(line) for line in _drawn_lines(objective, tmp_path)]
    for number, row in enumerate(objective.round.pairs.row.tolist()):
        facts = dataset.facts(row)
        assert facts.next_ids and all(item.split == "train" for item in dataset.items)
        line = next(one for one in lines if (one["article_id"], one["week"]) == (facts.article_id, facts.week.key))
        best = int(np.argmax(line["score"]))
        batch = stack([place.data[Place(0, SampleKey(row))]]).to(models.device)
        conditioning = objectives.conditions_of(batch, models, place.table.embeddings)
        noise = drawing.noise_of([line["seeds"][best]], batch.latents.shape[1:])
        latents = drawing.draw_latents(models, conditioning, noise, config, place.world.autocast)
        assert torch.allclose(latents[0], objective.round.winners[number].float(), atol=2e-2)
        pixels = drawing.decode_pixels(models, latents, place.world.autocast)
        image = models.scorer.embed_pixels(pixels)[0]
        expected = (place.table.rows(facts.next_ids) @ image).mean().item()
        assert line["image_image"][best] == pytest.approx(expected, abs=2e-3)
        words = torch.from_numpy(models.scorer.embed_texts([facts.caption]))[0]
        assert line["image_text"][best] == pytest.approx((image @ words).item(), abs=2e-3)


def test_rewards_of_other_clips_leave_the_trend_tokens_to_the_models_own(ground: Ground, tmp_path: Path) -> None:
    """An ensemble's embeddings are longer than those that the trend encoder reads."""
    tiny.save_clip_folder(tmp_path / "other", seed=5)
    config = ground.dpo(tmp_path / "dpo")
    place = open_workplace(config, trend_tokens=2)
    scorer = EnsembleScorer([place.models.scorer, ClipScorer.load(tmp_path / "other", "cpu")], 2)
    table = embed_articles(ground.data, "train", scorer, ground.cache, shape=config.shape)
    assert table.embeddings.shape[1] == 2 * place.table.embeddings.shape[1]
    judge = rewards.Reward(scorer, table, place.data.cached.dataset, config.reward_target)
    objective = dpo.make_objective(config, place, judge)
    objective.begin_step(0)
    parts = objective.loss(batch_of(place, range(2)), 0).parts
    assert len(objective.round) > 0 and parts["preference"].isfinite()


def test_candidates_that_do_not_fit_are_drawn_in_smaller_batches(ground: Ground, tmp_path: Path, monkeypatch) -> None:
    def latents(name: str) -> torch.Tensor:
        config = ground.dpo(tmp_path / name, num_candidates=2, candidate_batch=6)
        objective = dpo.make_objective(config, open_workplace(config))
        objective.begin_step(0)
        return torch.cat([objective.round.winners, objective.round.losers]).float()

    whole, sizes, decode = latents("whole"), [], candidates.decode_pixels

    def decode_few(models: object, drawn: torch.Tensor, autocast: object) -> torch.Tensor:
        sizes.append(len(drawn))
        if len(drawn) > 2:
            raise torch.OutOfMemoryError("no memory")
        return decode(models, drawn, autocast)

    monkeypatch.setattr(candidates, "decode_pixels", decode_few)
    assert torch.allclose(latents("few"), whole, atol=2e-2)
    assert sizes == [6, 4, 2, 2, 2]


def test_half_as_many_rows_at_a_time_from_then_on(capsys: pytest.CaptureFixture[str]) -> None:
    tried: list[list[int]] = []

    def work(rows: list[int], limit: int = 2) -> list[int]:
        tried.append(list(rows))
        if len(rows) > limit:
            raise torch.OutOfMemoryError("no memory")
        return list(rows)

    assert list(drawing.within_memory(list(range(7)), 5, work)) == [[0, 1], [2, 3], [4, 5], [6]]
    assert [len(rows) for rows in tried] == [5, 3, 2, 2, 2, 1]
    assert "out of memory; pictures of 2 prompts at a time" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Run fewer processes on this GPU"):
        list(drawing.within_memory([0, 1], 2, lambda rows: work(rows, 0)))


def _drawn_lines(objective: dpo.PreferenceObjective, out: Path) -> list[str]:
    objective.begin_step(0)
    return (out / "rounds" / "round_0000.jsonl").read_text().splitlines()
