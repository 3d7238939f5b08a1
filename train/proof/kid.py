"""KID of pictures against the photos that they stand for, where several pictures are of one article.

In: features of two sets, row i of both of one article. Out: an `Interval`. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from train.intervals import NUM_RESAMPLES, Interval
from train.starter.distances import paired_terms, polynomial_kernel

SCALE = 1000


def kid(first: torch.Tensor, second: torch.Tensor, articles: Sequence[str]) -> Interval:
    """Unbiased KID times 1000 of features [S, C]; pairs of pictures of one article are left out of all terms.

    The interval draws articles: each draw is an average over pairs of unlike articles, like the estimate.

    Raises:
        ValueError: if there are fewer than two articles.
    """
    a, b = first.double().numpy(), second.double().numpy()
    kernels = [polynomial_kernel(x, y) for x, y in ((a, a), (b, b), (a, b))]
    terms = paired_terms(*kernels) * SCALE
    names = {article: number for number, article in enumerate(dict.fromkeys(articles))}
    if len(names) < 2:
        raise ValueError("KID needs held-out pictures of at least two articles.")
    member = np.zeros((len(names), len(terms)))
    member[[names[one] for one in articles], np.arange(len(terms))] = 1
    sums = member @ terms @ member.T
    pairs = np.outer(member.sum(axis=1), member.sum(axis=1))
    np.fill_diagonal(sums, 0)
    np.fill_diagonal(pairs, 0)
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=NUM_RESAMPLES)
    drawn = draws.astype(float)
    tops = np.einsum("ri,ij,rj->r", drawn, sums, drawn, optimize=True)
    counts = np.einsum("ri,ij,rj->r", drawn, pairs, drawn, optimize=True)
    some = counts > 0
    low, high = np.percentile(tops[some] / counts[some], (2.5, 97.5))
    return Interval(float(sums.sum() / pairs.sum()), float(low), float(high))
