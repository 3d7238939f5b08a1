"""CLIP-I, CLIP-T and ranks with a tiny real CLIP, against the definitions written in plain numpy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from fashiondistill.config import GROUND, GenerateConfig
from fashiondistill.design import Design, ScoredDesign
from fashiondistill.scoring import ClipScorer, References, rank_designs, rank_pictures, score_design
from tests import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip")
    tiny.save_clip_folder(path)
    return path


@pytest.fixture(scope="module")
def scorer(folder: Path) -> ClipScorer:
    return ClipScorer.load(folder, "cpu")


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    looks = (("t-shirt", "red"), ("dress", "navy"), ("shoes", "black"), ("t-shirt", "yellow"))
    return {f"01{n:08d}": tiny.picture(kind, seed=n, colours=(colour,)) for n, (kind, colour) in enumerate(looks)}


def scored(combined: float, index: int) -> ScoredDesign:
    return ScoredDesign(Design(np.zeros((512, 384, 3), np.uint8), index, tiny.request()), 0, 0, combined, "", 0)


def test_embeddings_are_those_of_the_model_in_the_folder(
    scorer: ClipScorer, folder: Path, pictures: dict[str, np.ndarray]
) -> None:
    model = open_clip.CLIP(**tiny.clip_config()).eval()
    model.load_state_dict(load_file(folder / "open_clip_model.safetensors"))
    mean, std = np.float32([0.48, 0.46, 0.41]), np.float32([0.27, 0.26, 0.28])  # the bundle's are 0.5 throughout
    other = ClipScorer(model, tiny.tokenizer(), {"mean": mean.tolist(), "std": std.tolist()}, "cpu")
    for found, shift, scale in ((scorer, np.float32(0.5), np.float32(0.5)), (other, mean, std)):
        rows = found.embed_images(list(pictures.values()))
        assert rows.shape == (4, 8) and rows.dtype == np.float32
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
        for row, picture in zip(rows, pictures.values(), strict=True):
            pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
            small = torch.nn.functional.interpolate(pixels, (64, 48), mode="bilinear", antialias=True)
            normal = (small[0].permute(1, 2, 0).numpy() - shift) / scale
            with torch.no_grad():
                plain = model.encode_image(torch.from_numpy(normal).permute(2, 0, 1)[None])[0].numpy()
            assert row == pytest.approx(plain / np.linalg.norm(plain), abs=1e-4)
    ids = tiny.tokenizer()("red t-shirt", padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        plain = model.encode_text(ids)[0].numpy()
    assert scorer.embed_texts(["red t-shirt"])[0] == pytest.approx(plain / np.linalg.norm(plain), abs=1e-5)


def test_embeddings_do_not_depend_on_their_batch(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    together = scorer.embed_images(list(pictures.values()))
    alone = np.concatenate([scorer.embed_images([picture]) for picture in pictures.values()])
    assert together == pytest.approx(alone, abs=1e-5)
    texts = ["red dress", "a long sentence about a navy and white striped t-shirt", ""]
    assert scorer.embed_texts(texts)[1] == pytest.approx(scorer.embed_texts(texts[1:2])[0], abs=1e-5)


def test_terms_are_the_plain_definitions(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    config = GenerateConfig(num_candidates=1, clip_i_weight=0.25, clip_t_weight=0.5)
    design = Design(tiny.picture("skirt", colours=("green",)), 2, tiny.request(config=config))
    found = score_design(design, scorer, scorer.references(pictures))
    image, text = scorer.embed_images([design.image])[0], scorer.embed_texts([tiny.CAPTION])[0]
    cosines = {}
    for article, picture in pictures.items():
        other = scorer.embed_images([picture])[0]
        cosines[article] = float(image @ other / np.linalg.norm(image) / np.linalg.norm(other))
    assert found.clip_i == pytest.approx(np.mean(list(cosines.values())), abs=1e-5)
    assert found.clip_t == pytest.approx(float(image @ text), abs=1e-5)
    assert found.combined == pytest.approx(0.25 * found.clip_i + 0.5 * found.clip_t, abs=1e-6)
    assert found.nearest_article_id == max(cosines, key=cosines.get)
    assert (found.design is design, found.rank) == (True, 0)
    assert all(isinstance(term, float) for term in (found.clip_i, found.clip_t, found.combined))


def test_default_weights_are_documented() -> None:
    assert (GenerateConfig().clip_i_weight, GenerateConfig().clip_t_weight) == (0.6, 0.4)


def test_a_copy_of_a_bestseller_is_nearest_to_it(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    references = scorer.references(pictures)
    assert references.article_ids == tuple(pictures)
    for article, picture in pictures.items():
        found = score_design(Design(picture, 0, tiny.request()), scorer, references)
        assert found.nearest_article_id == article
    only = scorer.references({"0100000003": pictures["0100000003"]})
    assert score_design(Design(pictures["0100000003"], 0, tiny.request()), scorer, only).clip_i == pytest.approx(1)


def test_mean_over_the_set_not_the_best(scorer: ClipScorer) -> None:
    """Orthogonal references: the mean is half of the best."""
    picture = tiny.picture()
    embedding = scorer.embed_images([picture])[0]
    across = np.zeros_like(embedding)
    across[:2] = embedding[1], -embedding[0]
    references = References(("a", "b"), np.stack([across / np.linalg.norm(across), embedding]))
    found = score_design(Design(picture, 0, tiny.request()), scorer, references)
    assert found.clip_i == pytest.approx(0.5, abs=1e-5) and found.nearest_article_id == "b"


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, -0.4]), min_size=1, max_size=8), st.randoms())
@settings(max_examples=50, deadline=None)
def test_ranks_follow_the_score_and_ties_the_order_of_drawing(values: list[float], shuffler: object) -> None:
    designs = [scored(value, index) for index, value in enumerate(values)]
    shuffler.shuffle(designs)
    ranked = rank_designs(designs)
    assert [one.rank for one in ranked] == list(range(1, len(values) + 1))
    assert sorted(one.design.index for one in ranked) == list(range(len(values)))
    for better, worse in zip(ranked, ranked[1:], strict=False):
        assert better.combined >= worse.combined
        if better.combined == worse.combined:
            assert better.design.index < worse.design.index


def test_ranking_keeps_every_term(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    references = scorer.references(pictures)
    designs = [Design(picture, n, tiny.request()) for n, picture in enumerate(pictures.values())]
    before = [score_design(design, scorer, references) for design in designs]
    for one in rank_designs(before):
        original = before[one.design.index]
        terms = ("design", "clip_i", "clip_t", "combined", "nearest_article_id")
        assert [getattr(one, term) for term in terms] == [getattr(original, term) for term in terms]
    assert all(one.rank == 0 for one in before)
    assert rank_designs([]) == []


def test_pictures_from_anywhere_get_the_terms_of_designs(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    references, config = scorer.references(pictures), GenerateConfig(clip_i_weight=0.3, clip_t_weight=0.7)
    looks = [tiny.picture(seed=n) for n in range(4)]
    request = tiny.request(config=config)
    designs = rank_designs([score_design(Design(one, n, request), scorer, references) for n, one in enumerate(looks)])
    found = rank_pictures(looks, scorer, references, prompt=request.prompt, config=config)
    assert [one.index for one in found] == [one.design.index for one in designs]
    for one, design in zip(found, designs, strict=True):
        assert (one.rank, one.similarities[0][0]) == (design.rank, design.nearest_article_id)
        assert (one.clip_i, one.clip_t, one.combined) == pytest.approx(
            (design.clip_i, design.clip_t, design.combined), abs=1e-6
        )
        assert [cosine for _, cosine in one.similarities] == sorted((c for _, c in one.similarities), reverse=True)
    silent = rank_pictures(looks, scorer, references, prompt="", config=config)
    assert all(one.clip_t is None and one.combined == one.clip_i for one in silent)
    assert [one.clip_i for one in silent] == sorted((one.clip_i for one in silent), reverse=True)


def test_weights_move_ranks_without_drawing_again() -> None:
    near, worded = (dataclasses.replace(scored(0, n), clip_i=i, clip_t=t) for n, i, t in ((0, 0.9, 0.1), (1, 0.5, 0.4)))

    def first(clip_i_weight: float) -> int:
        weighted = [
            dataclasses.replace(one, combined=clip_i_weight * one.clip_i + (1 - clip_i_weight) * one.clip_t)
            for one in (near, worded)
        ]
        return rank_designs(weighted)[0].design.index

    assert (first(0.6), first(0.1)) == (0, 1)


def test_long_texts_are_refused_with_both_counts(scorer: ClipScorer) -> None:
    assert scorer.embed_texts(["red " * 75]).shape == (1, 8)
    with pytest.raises(ValueError, match="prompt has 78 tokens, CLIP takes 77. Shorten it"):
        scorer.embed_texts(["red", "red " * 76])


def test_a_week_without_pictures_is_an_error(scorer: ClipScorer) -> None:
    with pytest.raises(ValueError, match="bestsellers: none has a picture to compare with. Choose a week with sales"):
        scorer.references({})


def test_missing_folder_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"CLIP: .*open_clip_config.json is missing.*another --model"):
        ClipScorer.load(tmp_path / "clip", "cpu")


def test_other_proportions_get_a_border_of_the_ground(scorer: ClipScorer, pictures: dict[str, np.ndarray]) -> None:
    """A square picture before a CLIP of 4 : 3 is embedded as the same picture on a taller page, not squeezed."""
    tall = next(iter(pictures.values()))
    square = tall[64:448]
    page = np.full((512, 384, 3), GROUND, np.uint8)
    page[64:448] = square
    found = [scorer.embed_images([picture])[0] for picture in (square, page)]
    assert found[0] == pytest.approx(found[1], abs=1e-4)
