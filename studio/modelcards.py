"""HTML of the model card: what was measured, by category, so that six categories are not taken for equally good.

In: a `ModelCard`. Out: HTML. The table's looks are those of the blind test's, in static/blind.css. Knows nothing of
gradio.
"""

from __future__ import annotations

from html import escape

from fashiondistill.data.categories import CATEGORIES
from fashiondistill.modelcard import SHOWN, Figure, ModelCard
from studio import modeltexts, texts


def card_html(card: ModelCard) -> str:
    """The figures over all photos, and of each category where there are any."""
    names = [name for name in SHOWN if name in card.overall or any(name in own for own in card.categories.values())]
    head = "".join(map(_title, names))
    rows = [_row(modeltexts.ALL, [_cell(card.overall.get(name)) for name in names])]
    notes = [modeltexts.INTRO]
    if card.categories:
        rows += [_category_row(card, one.folder, names) for one in CATEGORIES]
        if len(card.categories) < len(CATEGORIES):
            notes.append(modeltexts.WHY_NOT_MEASURED)
    else:
        notes.append(modeltexts.NO_CATEGORIES)
    table = (
        f'<table class="fd-rates"><thead><tr><th scope="col">{escape(texts.CATEGORY)}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return table + "".join(f'<p class="fd-quiet">{escape(note)}</p>' for note in notes)


def _title(name: str) -> str:
    called, meant = escape(modeltexts.FIGURES[name]), escape(modeltexts.MEANINGS[name])
    return f'<th scope="col"><b>{called}</b><small>{meant}</small></th>'


def _category_row(card: ModelCard, category: str, names: list[str]) -> str:
    own = card.categories.get(category, {})
    cells = [_cell(own.get(name), weak=name in own and card.is_weak(category, name)) for name in names]
    return _row(texts.CATEGORIES[category], cells)


def _row(title: str, cells: list[str]) -> str:
    return f'<tr><th scope="row">{escape(title)}</th>{"".join(cells)}</tr>'


def _cell(found: Figure | None, *, weak: bool = False) -> str:
    if found is None:
        return f"<td><small>{escape(modeltexts.NOT_MEASURED)}</small></td>"
    mark = f" <em>{escape(modeltexts.WEAK)}</em>" if weak else ""
    about = (modeltexts.interval(found.low, found.high), modeltexts.count(found.count))
    return f"<td>{found.mean:.2f}{mark}{''.join(f'<small>{escape(line)}</small>' for line in about)}</td>"
