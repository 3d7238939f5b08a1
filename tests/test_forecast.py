"""Forecasts: methods equal the reference, never read the future, and beat the last week on the known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.demand import Truth
from fashiondistill.data.shop import Shop
from fashiondistill.forecast import bestsellers as top
from fashiondistill.forecast.backtest import LEVEL, backtest
from fashiondistill.forecast.bestsellers import forecast_bestsellers
from fashiondistill.forecast.measures import bootstrap_interval, quality
from fashiondistill.forecast.methods import BASELINES, METHODS, SEASON, damped_trend, smooth, theta
from fashiondistill.forecast.shares import complete_shares, forecast_shares

HORIZON = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Truth]:
    folder = tmp_path_factory.mktemp("shop")
    config = CatalogueConfig(num_transactions=150_000, num_customers=100, seed=5)
    truth = make_catalogue(config, folder, transactions_format="parquet")
    return Shop.open(folder), truth


def walks(num_weeks: int = 110, num_series: int = 4, *, seed: int = 0) -> np.ndarray:
    return 0.5 + np.random.default_rng(seed).normal(0, 0.01, (num_weeks, num_series)).cumsum(axis=0)


@pytest.mark.parametrize("name", METHODS)
def test_no_method_reads_the_future(name: str) -> None:
    values = walks()
    changed = values.copy()
    changed[80:] = np.random.default_rng(1).random((30, 4))
    before, after = (METHODS[name](series, HORIZON)[:80] for series in (values, changed))
    assert np.array_equal(before, after, equal_nan=True)
    if name != "same week last year":
        before, after = (METHODS[name](series, HORIZON)[80] for series in (values, changed))
        assert not np.array_equal(before, after, equal_nan=True)


@pytest.mark.parametrize("num_weeks", [1, 8, 20, 30, 51, 52, 53])
def test_every_method_takes_any_number_of_weeks(num_weeks: int) -> None:
    """Shops of less than a year, and early weeks of longer ones."""
    for method in METHODS.values():
        assert method(walks(num_weeks), HORIZON).shape == (num_weeks, HORIZON, 4)
    if num_weeks >= 8:
        last = backtest(shares_of_counts(num_weeks), HORIZON).forecast[-1]
        assert last.sum(axis=-1) == pytest.approx(np.ones(HORIZON))


def test_baselines_are_what_they_are_called() -> None:
    values = walks()
    last, drift, season = (method(values, HORIZON) for method in BASELINES.values())
    assert np.array_equal(last[70, 5], values[70])
    assert drift[70, 2] == pytest.approx(values[70] + 3 * (values[70] - values[0]) / 70)
    assert np.array_equal(season[70, 2], values[73 - SEASON]) and np.isnan(season[40, 2]).all()


@pytest.mark.parametrize(("alpha", "share", "damping"), [(0.3, 0.0, 1.0), (0.45, 0.15, 0.9)])
def test_smoothing_equals_statsmodels(alpha: float, share: float, damping: float) -> None:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    values = walks(num_series=1)
    level, slope = smooth(values, alpha, alpha * share, damping)
    start = {"initialization_method": "known", "initial_level": values[0, 0]}
    fixed: dict[str, float] = {"smoothing_level": alpha}
    if share:
        start |= {"trend": "add", "damped_trend": True, "initial_trend": 0.0}
        fixed |= {"smoothing_trend": share, "damping_trend": damping}
    fitted = ExponentialSmoothing(values[:, 0], **start).fit(optimized=False, **fixed)
    reach = np.cumsum(damping ** np.arange(1, HORIZON + 1))
    assert fitted.forecast(HORIZON) == pytest.approx(level[-1, 0] + reach * slope[-1, 0], abs=1e-9)


def test_theta_equals_statsmodels_for_the_same_alpha() -> None:
    from statsmodels.tsa.forecasting.theta import ThetaModel

    values = walks(num_series=1)
    fitted = ThetaModel(values[:, 0], deseasonalize=False).fit(use_mle=False)
    ours = theta(values, HORIZON)[-1, :, 0]
    # statsmodels takes any alpha and another start of the level, ours one of eight: the lines nearly coincide.
    assert np.asarray(fitted.forecast(HORIZON)) == pytest.approx(ours, abs=0.006)
    assert np.diff(np.asarray(fitted.forecast(HORIZON))) == pytest.approx(np.diff(ours), abs=1e-6)


def test_a_steady_trend_is_followed() -> None:
    values = (0.2 + 0.003 * np.arange(100))[:, None] * np.ones((1, 2))
    found = damped_trend(values, 4)[-1]
    assert np.abs(found[0] - (values[-1] + 0.003)).max() < 0.0006 and (np.diff(found, axis=0) > 0.001).all()


def shares_of_counts(num_weeks: int = 160, num_words: int = 5, units: int = 4000, *, seed: int = 0) -> np.ndarray:
    """A steady mix: nothing but the noise of counts."""
    rng = np.random.default_rng(seed)
    mix = rng.dirichlet(np.full(num_words, 3.0))
    return rng.multinomial(units, mix, size=num_weeks) / units


def test_backtest_never_reads_the_future_and_adds_up() -> None:
    shares = shares_of_counts(120)
    changed = shares.copy()
    changed[90:] = np.random.default_rng(3).dirichlet(np.ones(5), size=30)
    one, other = backtest(shares, HORIZON), backtest(changed, HORIZON)
    for name in ("chosen", "forecast", "low", "high"):
        assert np.array_equal(getattr(one, name)[:90], getattr(other, name)[:90], equal_nan=True), name
    assert one.forecast.sum(axis=-1) == pytest.approx(np.ones((120, HORIZON)))
    bounded = ~np.isnan(one.low)
    assert (one.low <= one.forecast + 1e-12)[bounded].all() and (one.high >= one.forecast - 1e-12)[bounded].all()
    assert np.isnan(one.actual[-1]).all() and np.array_equal(one.actual[50, 2], shares[53])


def test_intervals_hold_their_level_where_theory_says_so() -> None:
    inside = []
    for seed in range(6):
        tested = backtest(shares_of_counts(seed=seed), 2)
        judged = ~np.isnan(tested.low) & ~np.isnan(tested.actual)
        inside.append(((tested.actual >= tested.low) & (tested.actual <= tested.high))[judged].mean())
    assert LEVEL - 0.05 < np.mean(inside) < LEVEL + 0.05


def drifting_counts(units: int, *, seed: int, basket: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A mix that wanders, and the shares that are counted from so many units bought in baskets: both [T, 5]."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.5, 5) + rng.normal(0, 0.03, (160, 5)).cumsum(axis=0)
    mix = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return mix, np.stack([rng.multinomial(units // basket, week) for week in mix]) * basket / units


@pytest.mark.parametrize(("basket", "lowest", "highest"), [(1, 0.75, 0.85), (4, 0.85, 1.0)])
def test_intervals_of_the_truth_leave_the_noise_of_counts_out(basket: int, lowest: float, highest: float) -> None:
    """The known mix is held as often as promised; more often where counts are noisier than those of single units."""
    held, counted, narrower = [], [], []
    for seed in range(6):
        mix, shares = drifting_counts(2000, seed=seed, basket=basket)
        tested = backtest(shares, 2, totals=np.full(len(mix), 2000))
        target = np.arange(160)[:, None] + np.arange(1, 3)
        true = mix[np.minimum(target, 159)]
        judged = ~np.isnan(tested.low) & ~np.isnan(tested.actual)
        held.append(((true >= tested.true_low) & (true <= tested.true_high))[judged].mean())
        counted.append(((tested.actual >= tested.low) & (tested.actual <= tested.high))[judged].mean())
        narrower.append(((tested.true_low >= tested.low) & (tested.true_high <= tested.high))[judged].all())
    assert lowest < np.mean(held) < highest and LEVEL - 0.05 < np.mean(counted) < LEVEL + 0.05 and all(narrower)
    unknown = backtest(shares, 2)
    assert np.isnan(unknown.true_low).all() and not np.isnan(unknown.low[-1]).any()


def test_noise_alone_is_smoothed_and_new_series_have_only_the_last_week() -> None:
    tested = backtest(shares_of_counts(), 1)
    assert (tested.chosen[:12] == 0).all() and (tested.chosen[-1] != 0).all()
    error = np.abs(tested.forecast - tested.actual)[40:]
    assert np.nansum(error) < 0.9 * np.nansum(tested.errors[0][40:])  # of pure noise, up to 1 / sqrt(2) remain
    assert np.isnan(backtest(shares_of_counts(10), 1).low).all()


def test_weeks_without_sales_are_no_actuals() -> None:
    totals = np.full(60, 4000)
    totals[40] = 0
    tested = backtest(shares_of_counts(60), 3, totals=totals)
    assert np.isnan(tested.actual[39, 0]).all() and np.isnan(tested.actual[38, 1]).all()
    assert not np.isnan(tested.actual[39, 1]).any()


def test_forecasts_beat_the_last_week_on_the_known_truth(made: tuple[Shop, Truth]) -> None:
    shop, truth = made
    rows = []  # a category and attribute: error and persistence against the truth
    covered = []
    for category in shop.categories:
        for attribute in ("colour", "pattern"):
            keys, words, shares, totals = complete_shares(shop, category.folder, attribute, shop.weeks[-1])
            known = truth.shares[attribute][category.folder]
            real = np.array([[known[word][truth.weeks.index(key)] for word in words] for key in keys])
            tested = backtest(shares, 4, totals=totals)
            ends = np.arange(40, len(keys) - 4)
            target = ends[:, None] + np.arange(1, 5)
            error = np.abs(tested.forecast[ends] - real[target]).sum()
            base = np.abs(shares[ends][:, None] - real[target]).sum()
            rows.append((error, base))
            judged = ~np.isnan(tested.low[ends])
            counted = (tested.actual >= tested.low) & (tested.actual <= tested.high)
            true = (real[target] >= tested.true_low[ends]) & (real[target] <= tested.true_high[ends])
            covered.append((counted[ends][judged].mean(), true[judged].mean()))
    table = np.array(rows)
    low, _ = bootstrap_interval(table, lambda drawn: 1 - drawn[:, 0].sum() / drawn[:, 1].sum())
    assert low > 0
    for held in np.mean(covered, axis=0):
        assert 0.75 < held < 0.85


def test_forecast_of_a_shop_reads_nothing_later(made: tuple[Shop, Truth], tmp_path: Path) -> None:
    shop, _ = made
    found = forecast_shares(shop, "top5gub", "colour", "2020-W10")
    past = replace(shop, units=shop.units.filter(pl.col("week") <= "2020-W10"))
    assert forecast_shares(past, "top5gub", "colour", "2020-W10") == found
    assert (found.origin, found.weeks[0], found.weeks[-1]) == ("2020-W10", "2020-W11", "2020-W18")
    assert sum(one.mean[3] for one in found.words) == pytest.approx(1)
    assert [one.mean[-1] for one in found.words] == sorted((one.mean[-1] for one in found.words), reverse=True)
    assert found.quality.num_origins > 40 and 0.7 < found.quality.coverage < 0.95 and len(found.by_horizon) == 8
    assert forecast_shares(shop, "top5gub", "colour", "2020-W39").origin == "2020-W38"  # its last week has two days
    early = forecast_shares(shop, "top5gub", "colour", "2018-W42")
    assert (early.words, early.weeks, early.quality.skill) == ((), (), None)
    for wrong, words in ((("tops", "colour"), "category 'tops'"), (("top5gub", "price"), "attribute 'price'")):
        with pytest.raises(ValueError, match=words):
            forecast_shares(shop, *wrong, "2020-W10")
    with pytest.raises(ValueError, match="horizon 9"):
        forecast_shares(shop, "top5gub", "colour", "2020-W10", horizon=9)


def test_top_five_is_judged_beside_last_weeks(made: tuple[Shop, Truth]) -> None:
    shop, _ = made
    found = forecast_bestsellers(shop, "top5gub", "2020-W10")
    assert found.last_week == tuple(one.article_id for one in shop.bestsellers("top5gub", "2020-W10"))
    assert found.week == "2020-W11" and len(set(found.article_ids)) == 5 and found.num_weeks > 50
    ids = {week: {one.article_id for one in shop.bestsellers("top5gub", week)} for week in shop.weeks}
    judged = [week for week in shop.weeks if "2018-W47" <= week.key < "2020-W10"]  # after eight weeks to learn from
    overlaps = [len(ids[week] & ids[week.shift(1)]) / 5 for week in judged]
    assert found.baseline.overlap == pytest.approx(np.mean(overlaps))
    past = replace(shop, units=shop.units.filter(pl.col("week") <= "2020-W10"))
    assert forecast_bestsellers(past, "top5gub", "2020-W10") == found
    with pytest.raises(ValueError, match="top5gub has no complete week of sales up to 2018-W38"):
        forecast_bestsellers(shop, "top5gub", "2018-W38")


def test_ndcg_knows_order() -> None:
    assert top._judge([4, 3, 2, 1, 0], [4, 3, 2, 1, 0]) == (1.0, pytest.approx(1.0))
    overlap, ndcg = top._judge([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    assert overlap == 1 and ndcg < 0.9
    assert top._judge([9, 8, 7, 6, 5], [4, 3, 2, 1, 0]) == (0, 0) and top._judge([1], []) == (0, 0)


def test_measures_in_numbers() -> None:
    error = np.array([[[0.1]], [[0.3]], [[np.nan]]])
    found = quality(
        error, np.array([[[0.2]], [[0.6]], [[np.nan]]]), np.array([[[0.5]], [[0.3]], [[np.nan]]]),
        np.array([[[0.4]], [[0.4]], [[0.0]]]), np.array([[[0.6]], [[0.6]], [[1.0]]]), change=0.1,
    )  # fmt: skip
    assert (found.wape, found.mase, found.skill) == pytest.approx((0.5, 2.0, 0.5))
    assert (found.coverage, found.num_origins) == (0.5, 2)
    values = np.random.default_rng(0).normal(1, 1, 200)
    low, high = bootstrap_interval(values, np.mean)
    assert low < values.mean() < high and (high - low) == pytest.approx(2 * 1.96 * values.std() / 200**0.5, rel=0.2)
    assert bootstrap_interval(values, np.mean) == (low, high)
    low, high = bootstrap_interval(values[:8], np.mean, block=99)  # blocks stay short enough to differ
    assert low < high
