"""Plotly figures of the Trends tab. In: a data frame of shares. Out: a figure without a theme of its own, so that it
reads on light and dark pages alike. Knows nothing of gradio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import plotly
import plotly.graph_objects as go

from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.weeks import Week
from studio import texts

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"  # what draws the figures in the page
NUM_WORDS = 6  # more areas than this cannot be told apart
GREY = "#85868c"  # contrast at least 3.5 on white and on zinc-900, so that one grey serves both pages
GRID = "rgba(133, 134, 140, 0.22)"
HATCH = {"shape": "/", "size": 6, "fgcolor": GRID, "bgcolor": "rgba(0,0,0,0)"}  # what is no single word
PALETTE = ("#2a7f6f", "#c26a3d", "#5b6bbf", "#b8902f", "#a3527f", "#6d8a3c")
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def shares_figure(
    shares,  # noqa: ANN001 - DataFrame; pandas stays outside
    *,
    week: str,
    label: Callable[[str], str] = texts.word,
) -> go.Figure:
    """Stacked areas of the largest words' shares over the weeks, with the others summed up and a marker
    at the chosen week.

    Args:
        shares: share of units, 0 to 1; index = week keys, columns = words.
        week: key of the chosen week.
        label: what the page calls a word.
    """
    shares = _largest(shares.fillna(0))
    mondays = [Week.parse(str(key)).monday for key in shares.index]
    figure = go.Figure()
    for number, word in enumerate(shares.columns):
        colour = word_colour(word, number)
        figure.add_trace(
            go.Scatter(
                x=mondays,
                y=shares[word] * 100,
                name=label(word),
                mode="lines",
                stackgroup="shares",
                line={"color": GREY, "width": 1},
                fillcolor=colour,
                fillpattern=HATCH if word == texts.OTHER_WORDS else None,
                customdata=[[key, word] for key in shares.index],
                meta=word,
                hovertemplate="%{y:.1f} %<extra>" + label(word) + "</extra>",
            )
        )
    mark_week(figure, Week.parse(week))
    figure.update_layout(
        font={"family": FONT, "size": 12, "color": GREY},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=460,
        margin={"l": 52, "r": 12, "t": 20, "b": 104},
        hovermode="x unified",
        hoverlabel={"bgcolor": "#26272b", "bordercolor": "#26272b", "font": {"color": "#f4f4f5", "family": FONT}},
        legend={"orientation": "h", "x": 0, "y": -0.24, "yanchor": "top", "traceorder": "normal", "itemwidth": 30},
        xaxis={
            "title": {"text": texts.WEEK_AXIS},
            "showgrid": False,
            "linecolor": GREY,
            "ticks": "outside",
            "tickcolor": GREY,
            "tickformat": "%b\n%Y",
            "hoverformat": texts.WEEK_HOVER,
            "nticks": 8,
            "fixedrange": True,
        },
        yaxis={
            "title": {"text": texts.SHARE_AXIS},
            "gridcolor": GRID,
            "zeroline": False,
            "range": [0, 100],
            "fixedrange": True,
        },
    )
    return figure


def word_colour(word: str, number: int) -> str:
    """The garment's own colour for a colour word, the palette for any other."""
    if word in COLOUR_BY_WORD:
        return "rgb({}, {}, {})".format(*COLOUR_BY_WORD[word].rgb)
    return PALETTE[number % len(PALETTE)]


def faint(colour: str, strength: float) -> str:
    """A colour of `word_colour` or `PALETTE`, see-through; strength 0 to 1."""
    red, green, blue = (
        (int(part) for part in colour[4:-1].split(","))
        if colour.startswith("rgb(")
        else (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    )
    return f"rgba({red}, {green}, {blue}, {strength})"


def _largest(shares):  # noqa: ANN001, ANN202 - DataFrame
    """The `NUM_WORDS` largest words, largest first, and what the others add up to."""
    order = shares.mean().sort_values(ascending=False).index
    table = shares[order[:NUM_WORDS]]
    return (
        table.assign(**{texts.OTHER_WORDS: shares[order[NUM_WORDS:]].sum(axis=1)}) if len(order) > NUM_WORDS else table
    )


def mark_week(figure: go.Figure, week: Week) -> None:
    """A dotted line on the week's Monday, with its key above."""
    day = week.monday.isoformat()
    figure.add_shape(
        type="line",
        x0=day,
        x1=day,
        y0=0,
        y1=1,
        yref="paper",
        name="week",
        line={"color": GREY, "width": 2, "dash": "dot"},
    )
    figure.add_annotation(
        x=day, y=1, yref="paper", yanchor="bottom", text=week.key, showarrow=False, font={"size": 12, "color": GREY}
    )
