"""Held-out bestsellers as cases to draw: sketch, words of three modes, past weeks and shuffled ones, all encoded once.

In: the weekly data set, a pipeline whose autoencoder and text encoder all arms share. Out: `Cases`. A case is a
bestseller of a held-out week, from a held-out sender; the week that is to be drawn is its own, and what is known are
the weeks before it. Words:

    oracle    its own caption: what will sell is known (as the published evaluation does it)
    forecast  colours and pattern of the past bestseller whose caption is most like those of all past weeks, to the
              reward's text encoder (what beat last week's in docs/LOG.md), with the garment that the sketch shows
    bare      the garment alone: the past weeks' pictures are all that tells colour and pattern

Nothing here is trained or drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch

from fashiondistill.config import DatasetConfig
from fashiondistill.data.attributes import compose_caption
from fashiondistill.data.dataset import GarmentDataset, SampleFacts, SampleKey
from fashiondistill.data.vitonhd import ArticleRecord
from fashiondistill.data.weeks import Week
from fashiondistill.diffusion.caches import READING_THREADS, cache_states
from fashiondistill.scoring import ClipScorer
from train.data import Place, TrainBatch, TrainingSet, stack
from train.models import TrainingModels
from train.proof.market import Placement, read_placements, read_stock, weeks_of
from train.proof.plan import BARE, FORECAST, ORACLE
from train.proof.settings import ProofConfig
from train.starter.adherence import inner_strokes
from train.starter.distances import features_of
from train.tables import ArticleTable, embed_articles


@dataclass(frozen=True, eq=False)
class Target:
    """What a CLIP compares with.

    Attributes:
        scorer: the CLIP.
        table: its embeddings of all articles.
        captions: every caption of the data set, and their embeddings [N, D].
    """

    scorer: ClipScorer
    table: ArticleTable
    captions: tuple[str, ...]
    texts: torch.Tensor


@dataclass(frozen=True, eq=False)
class Cases:
    """S cases.

    Attributes:
        facts: of each.
        dataset: the same samples, to read pictures from.
        batch: encoded, on the CPU, with the words left out.
        shuffled: past rows and weights [S, N] of another week of the same market and category.
        week_ids: articles that sold best in the case's own week.
        prompts: mode -> words of each case.
        text_states: words -> states [77, D].
        photos: the judge's features [S, C] of the cases' own photos.
        inside, strokes: bool [H, W] of each: the garment, and the inner strokes of its sketch.
        reward, judge: what both CLIPs compare with.
    """

    facts: tuple[SampleFacts, ...]
    dataset: GarmentDataset
    batch: TrainBatch
    shuffled: tuple[torch.Tensor, torch.Tensor]
    week_ids: tuple[tuple[str, ...], ...]
    prompts: dict[str, tuple[str, ...]]
    text_states: dict[str, torch.Tensor]
    photos: torch.Tensor
    inside: list[np.ndarray]
    strokes: list[np.ndarray]
    reward: Target
    judge: Target

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def articles(self) -> list[str]:
        """The article of each case: cases of one are no independent samples."""
        return [one.article_id for one in self.facts]

    def conditions(self, rows: Sequence[int], mode: str, *, shuffled: bool) -> TrainBatch:
        """Some cases as a batch with the words of a mode, and with their own or another week's past."""
        chosen = torch.tensor(list(rows))
        states = torch.stack([self.text_states[self.prompts[mode][row]] for row in rows])
        batch = replace(self.batch.rows(chosen), text_states=states)
        if not shuffled:
            return batch
        past, weights = self.shuffled
        return replace(batch, past_rows=past[chosen], past_weights=weights[chosen])


def make_cases(config: ProofConfig, models: TrainingModels, judge: ClipScorer) -> Cases:
    """Choose the cases and encode them.

    Args:
        config: sizes.
        models: any arm's; its UNet and trend encoder are not used.
        judge: the independent CLIP.

    Raises:
        FileNotFoundError, ValueError: naming what is missing; no held-out bestseller with a past is one of them.
    """
    options = DatasetConfig(seed=0)
    tokenizer = models.pipeline.tokenizer
    whole = GarmentDataset(
        config.weeks, "test", options, count_tokens=lambda text: len(tokenizer(text, verbose=False).input_ids)
    )
    rows = spread_over_articles([(whole.items[n].article_id, n) for n in range(len(whole)) if whole.facts(n).past])
    if len(rows) < 2:
        raise ValueError(f"{config.weeks} has fewer than two held-out bestsellers with a past: simulate more sales.")
    few = whole.subset(sorted(rows[: config.num_cases]))
    cached = cache_states(few, models.pipeline, config.cache, size=tuple(config.image_size))
    reward, other = (_target(config, scorer, whole) for scorer in (models.scorer, judge))
    everything = TrainingSet(cached, reward.table)
    everything.past_length = max(everything.past_length, options.num_past_weeks * config.top_k)
    batch = stack([everything[Place(row, SampleKey(row))] for row in range(len(few))])
    facts = tuple(few.facts(row) for row in range(len(few)))
    prompts = words(facts, read_stock(config), models.scorer)
    every = sorted({text for texts in prompts.values() for text in texts})
    with ThreadPoolExecutor(READING_THREADS) as readers:
        samples = list(readers.map(few.__getitem__, range(len(few))))
    inside = [sample.mask > 127 for sample in samples]
    sold = _sold(whole)
    return Cases(
        facts=facts,
        dataset=few,
        batch=batch,
        shuffled=_shuffled(facts, whole, everything, read_placements(config)),
        week_ids=tuple(sold[one.category, one.week] for one in facts),
        prompts=prompts,
        text_states={text: models.pipeline.encode_prompt(text)[0].float().cpu() for text in every},
        photos=torch.from_numpy(features_of(judge, [sample.image for sample in samples]).pooled),
        inside=inside,
        strokes=[inner_strokes(s.sketch.astype(np.float32) / 255, own) for s, own in zip(samples, inside, strict=True)],
        reward=reward,
        judge=other,
    )


def spread_over_articles(places: Iterable[tuple[str, int]]) -> list[int]:
    """Places so that every article comes once before any comes twice, from its middle weeks outwards.

    Args:
        places: (article id, place) in order of time.
    """
    of_article: dict[str, list[int]] = {}
    for article_id, place in places:
        of_article.setdefault(article_id, []).append(place)
    turns: list[tuple[int, str, int]] = []
    for article_id, own in of_article.items():
        middle = len(own) // 2
        order = sorted(range(len(own)), key=lambda number: (abs(number - middle), number))
        turns += [(turn, article_id, own[number]) for turn, number in enumerate(order)]
    return [place for _, _, place in sorted(turns)]


def words(
    facts: Sequence[SampleFacts], records: dict[str, ArticleRecord], encoder: ClipScorer
) -> dict[str, tuple[str, ...]]:
    """Mode -> the words of each case."""
    past = sorted({article_id for one in facts for week in one.past for article_id in week.article_ids})
    embedded = dict(zip(past, encoder.embed_texts([records[one].caption for one in past]), strict=True))
    found: dict[str, list[str]] = {ORACLE: [], FORECAST: [], BARE: []}
    for one in facts:
        garment = records[one.article_id].garment
        typical = records[most_typical(one, embedded)]
        found[ORACLE].append(one.caption)
        found[FORECAST].append(compose_caption(colours=list(typical.colours), pattern=typical.pattern, garment=garment))
        found[BARE].append(garment)
    return {mode: tuple(texts) for mode, texts in found.items()}


def most_typical(one: SampleFacts, embedded: Mapping[str, np.ndarray]) -> str:
    """The past article whose caption has the highest mean cosine to all of them, weighted as the weeks are.

    The younger week, then the lower article id, among equals.
    """
    known = [(week, article_id) for week in reversed(one.past) for article_id in sorted(week.article_ids)]
    vectors = np.stack([embedded[article_id] for _, article_id in known])
    weights = np.array([week.weight / len(week.article_ids) for week, _ in known])
    return known[int(np.argmax((vectors @ vectors.T @ weights).round(6)))][1]


def _sold(dataset: GarmentDataset) -> dict[tuple[str, Week | None], tuple[str, ...]]:
    """(category, week) -> what sold best then."""
    found: dict[tuple[str, Week | None], list[str]] = {}
    for item in dataset.items:
        found.setdefault((item.category, item.week), []).append(item.article_id)
    return {key: tuple(ids) for key, ids in found.items()}


def _shuffled(
    facts: Sequence[SampleFacts], whole: GarmentDataset, data: TrainingSet, placements: Sequence[Placement]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The past of the week half of the held-out weeks away, in the same market and category.

    Raises:
        ValueError: if a market has only one held-out week of a category with a past.
    """
    first = {}
    for number, item in enumerate(whole.items):
        first.setdefault((item.category, item.week), number)
    other: dict[tuple[str, Week], Week] = {}
    for (_, category), weeks in weeks_of(placements, "test"):
        known = [week for week in weeks if whole.facts(first[category, week]).past]
        other |= {(category, week): known[(n + len(known) // 2) % len(known)] for n, week in enumerate(known)}
    found = []
    for one in facts:
        week = other[one.category, one.week]
        if week == one.week:
            raise ValueError(f"{one.category} {one.week} has no other held-out week to shuffle with: choose an earlier "
                             "--val_end, or more --num_transactions.")  # fmt: skip
        found.append(data.past_of(whole.facts(first[one.category, week])))
    rows, weights = zip(*found, strict=True)
    return torch.stack(rows), torch.stack(weights)


def _target(config: ProofConfig, scorer: ClipScorer, dataset: GarmentDataset) -> Target:
    table = embed_articles(config.weeks, "test", scorer, config.cache, shape=dataset.config.shape)
    captions = tuple(sorted(set(dataset.captions.values())))
    parts = [scorer.embed_texts(list(captions[n : n + 256])) for n in range(0, len(captions), 256)]
    return Target(scorer, table, captions, torch.from_numpy(np.concatenate(parts)).to(scorer.device))
