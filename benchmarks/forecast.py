"""python -m benchmarks.forecast: forecasts against the known truth of synthetic shops.

Makes --num_shops synthetic shops of --num_transactions sales. For every category and attribute the rolling backtest
is judged by the next weeks' measured shares and by the known truth: skill against the last week, WAPE, MASE, coverage
of both kinds of 80 % intervals (of the share that is measured, and of the true one without the noise of counts), with
95 % bootstrap intervals that draw whole shops x categories, and coverage shop by shop. Top-5 and T2T likewise.
--statsmodels N fits N series with statsmodels from a few origins, for error and seconds beside ours.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.config import STARTER, CatalogueConfig
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.cube import ATTRIBUTES
from fashiondistill.data.demand import Truth
from fashiondistill.data.shop import Shop
from fashiondistill.forecast.backtest import backtest
from fashiondistill.forecast.bestsellers import forecast_bestsellers
from fashiondistill.forecast.measures import bootstrap_interval
from fashiondistill.forecast.methods import METHODS
from fashiondistill.forecast.shares import MAX_HORIZON, complete_shares
from fashiondistill.forecast.t2t import t2t_score

FIRST_ORIGIN = 40  # weeks of past before forecasts are judged
HORIZONS = (1, 4, 8)
COLUMNS = (
    "error", "base", "error_truth", "base_truth", "inside", "inside_truth", "true_inside", "bounded", "size", "count",
    "change",
)  # fmt: skip


def judged(shop: Shop, truth: Truth, category: str, attribute: str) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the origins of a table: [H, COLUMNS]; and each method's error and base: [M, 2]."""
    keys, words, shares, totals = complete_shares(shop, category, attribute, shop.weeks[-1])
    known = truth.shares[attribute][category]
    real = np.array([[known[word][truth.weeks.index(key)] for word in words] for key in keys])
    tested = backtest(shares, MAX_HORIZON, totals=totals)
    change = np.abs(np.diff(shares, axis=0)).mean()
    rows = []
    for ahead in range(1, MAX_HORIZON + 1):
        ends = np.arange(FIRST_ORIGIN, len(keys) - ahead)
        forecast, actual = tested.forecast[ends, ahead - 1], shares[ends + ahead]
        low, high, true = tested.low[ends, ahead - 1], tested.high[ends, ahead - 1], real[ends + ahead]
        true_low, true_high = tested.true_low[ends, ahead - 1], tested.true_high[ends, ahead - 1]
        bounded = ~np.isnan(low)
        rows.append(
            (
                np.abs(forecast - actual).sum(), np.abs(shares[ends] - actual).sum(),
                np.abs(forecast - true).sum(), np.abs(shares[ends] - true).sum(),
                ((actual >= low) & (actual <= high))[bounded].sum(), ((true >= low) & (true <= high))[bounded].sum(),
                ((true >= true_low) & (true <= true_high))[bounded].sum(), bounded.sum(),
                actual.sum(), actual.size, change * actual.size,
            )
        )  # fmt: skip
    part = tested.errors[:, FIRST_ORIGIN:]
    base = np.where(np.isnan(part), np.nan, part[:1])
    return np.array(rows, float), np.stack([np.nansum(part, axis=(1, 2, 3)), np.nansum(base, axis=(1, 2, 3))], axis=1)


def report(tables: np.ndarray) -> None:
    """Tables [shops x categories, attributes, H, COLUMNS] -> lines, the first axis being what is drawn."""
    place = {name: number for number, name in enumerate(COLUMNS)}

    def ratio(top: str, bottom: str, ahead: slice):  # noqa: ANN202
        return lambda drawn: drawn[:, :, ahead, place[top]].sum() / max(drawn[:, :, ahead, place[bottom]].sum(), 1e-12)

    print(
        "| weeks ahead | skill, measured | skill, truth | WAPE | MASE | 80 % interval of the measured share holds it | "
        "80 % interval of the true share holds it | the former, of true shares |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, ahead in [(str(n), slice(n - 1, n)) for n in HORIZONS] + [("1 to 8", slice(None))]:
        cells = []
        for top, bottom, turn in (
            ("error", "base", True), ("error_truth", "base_truth", True), ("error", "size", False),
            ("error", "change", False), ("inside", "bounded", False),
            ("true_inside", "bounded", False), ("inside_truth", "bounded", False),
        ):  # fmt: skip
            of = ratio(top, bottom, ahead)
            value, (low, high) = of(tables), bootstrap_interval(tables, of)
            value, low, high = (1 - value, 1 - high, 1 - low) if turn else (value, low, high)
            cells.append(f"{value:.3f} [{low:.3f}, {high:.3f}]")
        print(f"| {name} | {' | '.join(cells)} |")


def report_shops(tables: np.ndarray, num_shops: int) -> None:
    """Coverage of each shop on its own: no seed is left out."""
    sums = tables.reshape(num_shops, -1, len(COLUMNS)).sum(axis=1)
    for kind, top in (("measured", "inside"), ("true", "true_inside")):
        held = sums[:, COLUMNS.index(top)] / sums[:, COLUMNS.index("bounded")]
        print(f"80 % interval of the {kind} share, shop by shop: {', '.join(f'{one:.3f}' for one in held)}")


def run_truth(arguments: argparse.Namespace, folder: Path) -> list[Shop]:
    """Judge all shops; returns them."""
    shops, tables, methods = [], [], np.zeros((len(METHODS), 2))
    for seed in tqdm(range(arguments.num_shops), desc="shops", unit="shop"):
        config = CatalogueConfig(
            num_transactions=arguments.num_transactions,
            articles_per_category=arguments.articles,
            seed=arguments.first_seed + seed,
        )
        truth = make_catalogue(config, folder / str(seed), transactions_format="parquet")
        shop = Shop.open(folder / str(seed))
        shops.append(shop)
        for category in shop.categories:
            found = [judged(shop, truth, category.folder, attribute) for attribute in ATTRIBUTES]
            tables.append([rows for rows, _ in found])
            methods += sum(errors for _, errors in found)
    print(
        f"{arguments.num_shops} shops of {arguments.num_transactions:,} sales, seeds from {arguments.first_seed} on, "
        "6 categories x 3 attributes"
    )
    report(np.array(tables))
    report_shops(np.array(tables), arguments.num_shops)
    print("each method alone, skill, measured: " + ", ".join(
        f"{name} {1 - error / base:+.3f}" for name, (error, base) in zip(METHODS, methods, strict=True)
    ))  # fmt: skip
    return shops


def run_top(shops: list[Shop]) -> None:
    """Top-5 beside last week's; shops x categories are drawn."""
    rows = []
    for shop in shops:
        for category in shop.categories:
            found = forecast_bestsellers(shop, category.folder, shop.weeks[-1])
            rows.append((found.quality.overlap, found.baseline.overlap, found.quality.ndcg, found.baseline.ndcg))
    table = np.array(rows)
    for name, own, base in (("overlap@5", 0, 1), ("NDCG@5", 2, 3)):
        gain = table[:, own] - table[:, base]
        low, high = bootstrap_interval(gain, np.mean)
        print(
            f"{name}: forecast {table[:, own].mean():.3f}, last week {table[:, base].mean():.3f}, "
            f"gain {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}], n = {len(table)}"
        )


def run_t2t(shops: list[Shop], every: int) -> None:
    """T2T by the bundled CLIP's text tower, on every so many-th week; shops x categories are drawn.

    The tower that chooses the words of forecast and persistence is also the one that judges both.
    """
    from fashiondistill.scoring import ClipScorer

    scorer = ClipScorer.load(STARTER / "clip", "cpu")
    names = ("forecast", "by_shares", "last_week", "random_week", "gain")
    rows, num_weeks = [], 0
    for shop in shops:
        for category in shop.categories:
            found = t2t_score(shop, category.folder, shop.weeks[FIRST_ORIGIN::every], scorer.embed_texts)
            rows.append([getattr(found, name)[0] for name in names])
            num_weeks += found.num_weeks
    for name, values in zip(names, np.array(rows).T, strict=True):
        low, high = bootstrap_interval(values, np.mean)
        print(f"T2T {name}: {values.mean():.4f} [{low:+.4f}, {high:+.4f}], n = {len(values)}, {num_weeks} weeks")


def run_statsmodels(shop: Shop, num_series: int) -> None:
    """The same origins and series by statsmodels' optimised fits."""
    from statsmodels.tsa.forecasting.theta import ThetaModel
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    keys, words, shares, _ = complete_shares(shop, "top5gub", "colour", shop.weeks[-1])
    chosen = np.argsort(-shares.mean(axis=0))[:num_series]
    origins = range(FIRST_ORIGIN, len(keys) - MAX_HORIZON, 12)
    tested = backtest(shares, MAX_HORIZON)
    fits = {
        "damped trend": lambda y: ExponentialSmoothing(y, trend="add", damped_trend=True).fit().forecast(MAX_HORIZON),
        "Theta": lambda y: np.asarray(ThetaModel(y, deseasonalize=False).fit().forecast(MAX_HORIZON)),
    }
    for name, fit in fits.items():
        errors, started = [], time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fits that do not converge: they count as they are
            for number in chosen:
                for end in origins:
                    forecast = np.sin(np.clip(fit(np.arcsin(np.sqrt(shares[: end + 1, number]))), 0, np.pi / 2)) ** 2
                    errors.append(np.abs(forecast - shares[end + 1 : end + 1 + MAX_HORIZON, number]).mean())
        seconds = (time.perf_counter() - started) / len(errors)
        ours = tested.errors[list(METHODS).index(name)][list(origins)][:, :, chosen].mean()
        print(f"{name}: statsmodels error {np.mean(errors):.5f}, ours {ours:.5f}; {1000 * seconds:.0f} ms a fit")


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__.splitlines()[0])
    parser.add_argument("--num_shops", type=int, default=5, help="synthetic shops (default: 5; 0 = none)")
    parser.add_argument("--first_seed", type=int, default=100, help="seed of the first shop (default: 100)")
    parser.add_argument("--num_transactions", type=int, default=200_000, help="sales of each (default: 200000)")
    parser.add_argument("--articles", type=int, default=24, help="articles a category (default: 24)")
    parser.add_argument("--t2t_every", type=int, default=0, help="T2T on every so many-th week (default: 0 = not)")
    parser.add_argument("--catalogue", default="", help="folder of a shop to judge T2T on instead of synthetic ones")
    parser.add_argument("--statsmodels", type=int, default=0, help="series to fit by statsmodels too (default: 0)")
    arguments = parser.parse_args(argv)
    if arguments.catalogue:
        run_t2t([Shop.open(Path(arguments.catalogue))], max(arguments.t2t_every, 1))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if arguments.num_shops:
            shops = run_truth(arguments, Path(folder))
            run_top(shops)
            if arguments.t2t_every:
                run_t2t(shops, arguments.t2t_every)
            if arguments.statsmodels:
                run_statsmodels(shops[0], arguments.statsmodels)
    return 0


if __name__ == "__main__":
    sys.exit(main())
