"""Plotly figures of the Trends tab beside the shares: forecast, momentum, stages, colours, categories, map.

In: `TrendFacts` and points. Out: figures without a theme of their own. Every point says in `customdata` which week and
word it stands for, so that a click leads to pictures. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import math

import plotly.graph_objects as go

from fashiondistill.data.weeks import Week
from studio import texts, trendtexts
from studio.plots import FONT, GREY, GRID, faint, mark_week, word_colour
from studio.trendfacts import MapPoint, TrendFacts

NUM_LINES = 3  # fans above each other than this cannot be told apart
NUM_PAST = 26  # weeks shown before a forecast
NUM_BARS = 14
SHARE_TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)  # percent, on a logarithmic axis
LEAST_SHARE = 1e-4  # shown of what sold at all
NUM_NAMED = 7  # words named beside their points; the others would overlap
STAGE_SYMBOLS = {
    "new": "star", "rising": "triangle-up", "peak": "diamond", "steady": "circle", "falling": "triangle-down",
    "quiet": "circle-open",
}  # fmt: skip
CLEAR = "rgba(0,0,0,0)"
RISE, FALL = "#2a7f6f", "#c26a3d"
OWN = "#b8902f"


def forecast_figure(facts: TrendFacts) -> go.Figure:
    """What was, what is expected with both 80 % intervals, and what came where the data knows it."""
    figure, forecast = _figure(height=400), facts.forecast
    for number, one in enumerate(forecast.words[:NUM_LINES]):
        past = [key for key in facts.shares.index if key <= forecast.origin][-NUM_PAST:]
        came = [key for key in facts.shares.index if key > forecast.origin and key in forecast.weeks]
        colour = word_colour(one.word, number)
        ahead = [forecast.origin, *forecast.weeks]
        for low, high, strength in ((one.low, one.high, 0.16), (one.true_low, one.true_high, 0.3)):
            if None not in low:
                figure.add_trace(_band(ahead, [one.now, *low], [one.now, *high], one.word, faint(colour, strength)))
        figure.add_traces(_line(past, facts.shares.loc[past, one.word], one.word, colour))
        figure.add_traces(_line(ahead, [one.now, *one.mean], one.word, colour, dash="4px,4px"))
        if came:
            figure.add_trace(_circles(came, facts.shares.loc[came, one.word], one.word, colour))
        figure.add_trace(_legend_entry(one.word, colour))
    if forecast.origin:
        mark_week(figure, Week.parse(forecast.origin))
    figure.update_layout(legend={"y": 1.09})  # above the name of the week
    figure.update_xaxes(title_text=texts.WEEK_AXIS, tickformat="%b\n%Y", nticks=6)
    figure.update_yaxes(title_text=texts.SHARE_AXIS, rangemode="tozero")
    return figure


def momentum_figure(facts: TrendFacts) -> go.Figure:
    """Words by how fast they gain or lose, fastest riser on top."""
    known = [one for one in facts.signals if one.momentum is not None and one.stage != "quiet"]
    shown = known if len(known) <= NUM_BARS else known[: NUM_BARS // 2] + known[-NUM_BARS // 2 :]
    figure = _figure(height=90 + 22 * max(len(shown), 4))
    shown = shown[::-1]
    change = [100 * math.expm1(one.momentum) for one in shown]
    figure.add_trace(
        go.Bar(
            x=change,
            y=[texts.word(one.word) for one in shown],
            orientation="h",
            marker={"color": [RISE if value >= 0 else FALL for value in change]},
            customdata=[[facts.week, one.word, 100 * one.share_before, 100 * one.share] for one in shown],
            hovertemplate=trendtexts.MOMENTUM_HOVER + "<extra></extra>",
        )
    )
    figure.update_xaxes(
        title_text=trendtexts.MOMENTUM_AXIS, zeroline=True, zerolinecolor=GREY, gridcolor=GRID, showgrid=True
    )
    figure.update_yaxes(automargin=True, showgrid=False)
    return figure


def life_figure(facts: TrendFacts) -> go.Figure:
    """Share against momentum: where in its life each word stands."""
    figure = _figure(height=380)
    known = [one for one in facts.signals if one.momentum is not None]
    change = {one.word: 100 * math.expm1(one.momentum) for one in known}
    space = 0.15 * max(max(change.values(), default=0) - min(change.values(), default=0), 10)  # for a name
    named = sorted(known, key=lambda one: -one.share * abs(one.momentum))[:NUM_NAMED]
    # Beside a larger neighbour, whose name stands above it, a name stands below its point.
    sides = {
        one.word: "bottom center"
        if any(o.share > one.share and abs(change[o.word] - change[one.word]) < space for o in named)
        else "top center"
        for one in named
    }
    for stage, symbol in STAGE_SYMBOLS.items():
        group = [one for one in known if one.stage == stage]
        if not group:
            continue
        figure.add_trace(
            go.Scatter(
                x=[change[one.word] for one in group],
                y=[100 * max(one.share, LEAST_SHARE) for one in group],
                mode="markers+text",
                text=[texts.word(one.word) if one.word in sides else "" for one in group],
                textposition=[sides.get(one.word, "top center") for one in group],
                name=trendtexts.STAGES[stage],
                marker={
                    "symbol": symbol, "size": 12, "line": {"width": 1, "color": GREY},
                    "color": [word_colour(one.word, number) for number, one in enumerate(group)],
                },
                customdata=[[facts.week, one.word, texts.word(one.word)] for one in group],
                hovertemplate=f"{trendtexts.LIFE_HOVER}<extra>{trendtexts.STAGES[stage]}</extra>",
            )
        )  # fmt: skip
    figure.update_xaxes(
        title_text=trendtexts.MOMENTUM_AXIS, zeroline=True, zerolinecolor=GREY,
        range=[min([0, *change.values()]) - space, max([0, *change.values()]) + space],
    )  # fmt: skip
    # Most words have a small share: on a plain scale they would lie on top of each other.
    figure.update_yaxes(title_text=trendtexts.SHARE_NOW_AXIS, type="log", tickvals=SHARE_TICKS, minor={"ticks": ""})
    return figure


def ribbon_figure(facts: TrendFacts) -> go.Figure:
    """A column per week with the colours of its five bestsellers, the best on top."""
    figure = _figure(height=240)
    for place in range(5):
        rows = [(key, items[place]) for key, items in facts.bestsellers.items() if len(items) > place]
        figure.add_trace(
            go.Bar(
                x=_mondays([key for key, _ in rows]),
                y=[1] * len(rows),
                width=7 * 86_400_000,
                marker={"color": [word_colour(item.colours[0], 0) for _, item in rows], "line": {"width": 0}},
                customdata=[[key, item.colours[0], place + 1, item.caption, item.units] for key, item in rows],
                hovertemplate=trendtexts.RIBBON_HOVER + "<extra></extra>",
            )
        )
    mark_week(figure, Week.parse(facts.week))
    figure.update_layout(barmode="stack", bargap=0, showlegend=False)
    figure.update_xaxes(title_text=texts.WEEK_AXIS, tickformat="%b\n%Y", nticks=8)
    figure.update_yaxes(
        title_text=trendtexts.RANK_AXIS,
        tickvals=[0.5, 1.5, 2.5, 3.5, 4.5],
        ticktext=["1", "2", "3", "4", "5"],
        autorange="reversed",
    )
    return figure


def heat_figure(facts: TrendFacts) -> go.Figure:
    """Categories by week: units' share against the category's own mean."""
    figure, table = _figure(height=340), facts.categories
    usual = table.drop(index=[key for key in facts.marks if facts.marks[key] == "partial"], errors="ignore").mean()
    ratio = table / usual.where(usual > 0, 1.0)
    names = [texts.CATEGORIES[str(folder)] for folder in table.columns]
    figure.add_trace(
        go.Heatmap(
            x=_mondays(table.index),
            y=names,
            z=((ratio - 1) * 100).clip(-100, 100).to_numpy().T,
            customdata=[[[key, "", 100 * table.loc[key, folder]] for key in table.index] for folder in table.columns],
            zmid=0,
            zmin=-100,
            zmax=100,
            colorscale=[[0, FALL], [0.5, GRID], [1, RISE]],
            colorbar={
                "orientation": "h", "y": -0.36, "yanchor": "top", "len": 0.7, "thickness": 10, "outlinewidth": 0,
                "title": {"text": trendtexts.HEAT_UNIT, "side": "bottom"}, "tickvals": [-100, -50, 0, 50, 100],
            },
            hovertemplate=trendtexts.HEAT_HOVER + "<extra></extra>",
        )
    )  # fmt: skip
    mark_week(figure, Week.parse(facts.week))
    figure.update_xaxes(title_text=texts.WEEK_AXIS, tickformat="%b\n%Y", nticks=8)
    figure.update_yaxes(automargin=True, autorange="reversed", showgrid=False)
    return figure


def map_figure(points: tuple[MapPoint, ...], week: str) -> go.Figure:
    """Bestsellers so far in the plane of their pictures; the week's own are large, the visitor's designs are stars."""
    figure = _figure(height=400)
    sold = [one for one in points if one.article_id]
    groups = (
        (
            trendtexts.MAP_BEFORE,
            [one for one in sold if week not in one.weeks],
            {"size": 9, "opacity": 0.55, "symbol": "circle"},
        ),
        (trendtexts.MAP_WEEK, [one for one in sold if week in one.weeks], {"size": 17, "symbol": "circle"}),
        (trendtexts.MAP_OWN, [one for one in points if not one.article_id], {"size": 16, "symbol": "star"}),
    )
    for name, group, marker in groups:
        if not group:
            continue
        colours = [word_colour(one.colour, 0) if one.colour else OWN for one in group]
        figure.add_trace(
            go.Scatter(
                x=[one.x for one in group],
                y=[one.y for one in group],
                mode="markers",
                name=name,
                marker=marker | {"color": colours, "line": {"width": 1, "color": GREY}},
                customdata=[[one.weeks[-1] if one.weeks else "", one.colour, len(one.weeks)] for one in group],
                text=[one.caption or trendtexts.MAP_OWN for one in group],
                hovertemplate=("%{text}" if name == trendtexts.MAP_OWN else trendtexts.MAP_HOVER) + "<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=trendtexts.MAP_X, showticklabels=False, zeroline=False)
    figure.update_yaxes(title_text=trendtexts.MAP_Y, showticklabels=False, zeroline=False, showgrid=False)
    return figure


def _figure(*, height: int) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        font={"family": FONT, "size": 12, "color": GREY},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        height=height,
        margin={"l": 52, "r": 12, "t": 20, "b": 44},
        hovermode="closest",
        hoverlabel={"bgcolor": "#26272b", "bordercolor": "#26272b", "font": {"color": "#f4f4f5", "family": FONT}},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemwidth": 30},
    )
    figure.update_xaxes(showgrid=False, zeroline=False, linecolor=GREY, fixedrange=True)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, fixedrange=True)
    return figure


def _mondays(keys) -> list:  # noqa: ANN001 - week keys
    return [Week.parse(str(key)).monday for key in keys]


def _line(keys, shares, word: str, colour: str, *, dash: str = "solid") -> list[go.Scatter]:  # noqa: ANN001
    """A line in the garment's colour on a grey one, without which white and black vanish on one of the two pages."""
    about = {
        "x": _mondays(keys), "y": [100 * share for share in shares], "mode": "lines", "showlegend": False, "meta": word,
        "legendgroup": word,
    }  # fmt: skip
    return [
        go.Scatter(**about, line={"color": GREY, "width": 4, "dash": dash}, hoverinfo="skip"),
        go.Scatter(
            **about,
            line={"color": colour, "width": 2.5, "dash": dash},
            customdata=[[key, word] for key in keys],
            hovertemplate="%{customdata[0]}: %{y:.1f} %<extra>" + texts.word(word) + "</extra>",
        ),
    ]


def _circles(keys, shares, word: str, colour: str) -> go.Scatter:  # noqa: ANN001
    """What came after the forecast was made."""
    return go.Scatter(
        x=_mondays(keys),
        y=[100 * share for share in shares],
        mode="markers",
        marker={"color": colour, "size": 9, "line": {"width": 1.5, "color": GREY}},
        showlegend=False,
        legendgroup=word,
        meta=word,
        customdata=[[key, word] for key in keys],
        hovertemplate=f"{trendtexts.CAME_HOVER}<extra>{texts.word(word)}</extra>",
    )


def _band(keys, low, high, word: str, fill: str) -> go.Scatter:  # noqa: ANN001
    return go.Scatter(
        x=_mondays([*keys, *reversed(keys)]),
        y=[100 * value for value in (*high, *reversed(low))],
        mode="lines",
        fill="toself",
        fillcolor=fill,
        line={"width": 0.5, "color": GRID},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=word,
        meta=word,
    )


def _legend_entry(word: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"symbol": "square", "size": 11, "color": colour, "line": {"width": 1, "color": GREY}},
        name=texts.word(word),
        legendgroup=word,
        meta=word,
    )
