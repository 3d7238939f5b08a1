"""Board tab: what the visitor made, found again, noted on, put on boards, compared and gone on from."""

from __future__ import annotations

import time

import gradio as gr

from fashiondistill.store import Query
from studio import boardcards, boardtexts, cards, cardtools, texts
from studio.components import BoardExtra, BoardGrid
from studio.engine import DesignEngine
from studio.library import Library
from studio.panels.boards import bind_board_files, bind_boards, board_files, board_tools
from studio.panels.events import following, quiet
from studio.panels.parts import BoardParts, LiveParts, ResultParts, Visit
from studio.state import StudioError

PAGE = 24  # tiles that a press of "Show more" adds


def board_tab(engine: DesignEngine, tab: gr.Tab, tabs: gr.Tabs) -> BoardParts:
    known = [(texts.CATEGORIES[one.folder], one.folder) for one in engine.categories]
    categories = [(boardtexts.ANY_CATEGORY, ""), *known]
    show = gr.Radio(
        [(words, key) for key, words in boardtexts.SHOWN.items()],
        value="all",
        show_label=False,
        label=boardtexts.SHOW,
        elem_id="board-show",
    )
    with gr.Row(elem_id="board-filters"):
        search = gr.Textbox(label=boardtexts.SEARCH, placeholder=boardtexts.SEARCH_HINT, elem_id="board-search")
        category = gr.Dropdown(categories, value="", label=boardtexts.CATEGORY, elem_id="board-category")
        week = gr.Dropdown([(boardtexts.ANY_WEEK, "")], value="", label=boardtexts.WEEK, elem_id="board-week")
        board = gr.Dropdown([(boardtexts.ANY_BOARD, "")], value="", label=boardtexts.BOARD, elem_id="board-board")
    tools = board_tools()
    message, extra = gr.HTML(elem_id="board-message"), BoardExtra()
    with gr.Row(elem_id="board-row"):
        with gr.Column(elem_id="board-main"):
            files = board_files()
            grid = BoardGrid("")
            more = gr.Button(boardtexts.MORE, size="sm", visible=False, elem_id="board-more")
        with gr.Column(elem_id="board-side"):
            details = gr.HTML(boardcards.nothing_chosen_html(), elem_id="board-details")
            with gr.Column(visible=False, elem_id="board-actions") as actions:
                with gr.Row():
                    open_again = gr.Button(boardtexts.OPEN, size="sm", variant="primary", elem_id="board-open")
                    across = gr.Button(boardtexts.ACROSS_WEEKS, size="sm", elem_id="board-weeks")
                with gr.Row():
                    subtle = gr.Button(boardtexts.VARY_SUBTLE, size="sm", elem_id="board-subtle")
                    strong = gr.Button(boardtexts.VARY_STRONG, size="sm", elem_id="board-strong")
                stop = gr.Button(boardtexts.STOP, size="sm", visible=False, elem_id="board-stop")
                note = gr.Textbox(
                    label=boardtexts.NOTE, placeholder=boardtexts.NOTE_HINT, lines=2, max_lines=6, elem_id="board-note"
                )
                boards = gr.Dropdown(
                    [],
                    multiselect=True,
                    allow_custom_value=True,
                    label=boardtexts.BOARDS,
                    info=boardtexts.BOARDS_HINT,
                    elem_id="board-boards",
                )
                delete = gr.Button(boardtexts.DELETE, size="sm", elem_id="board-delete")
                restore = gr.Button(boardtexts.RESTORE, size="sm", visible=False, elem_id="board-restore")
            training = gr.Checkbox(
                True, label=boardtexts.TRAINING, info=boardtexts.TRAINING_HINT, elem_id="board-training"
            )
            picks = gr.HTML(elem_id="board-picks")
            export = gr.Button(boardtexts.EXPORT, size="sm", elem_id="board-export")
            download = gr.DownloadButton(boardtexts.EXPORT_READY, size="sm", visible=False, elem_id="board-download")
    return BoardParts(
        tab=tab,
        tabs=tabs,
        search=search,
        show=show,
        category=category,
        week=week,
        board=board,
        tools=tools,
        files=files,
        grid=grid,
        more=more,
        limit=gr.Number(PAGE, visible="hidden", precision=0),
        extra=extra,
        chosen=gr.Textbox("", visible="hidden"),
        details=details,
        actions=actions,
        note=note,
        boards=boards,
        open_again=open_again,
        vary_subtle=subtle,
        vary_strong=strong,
        across=across,
        stop=stop,
        delete=delete,
        restore=restore,
        training=training,
        picks=picks,
        export=export,
        download=download,
        message=message,
    )


def failed(error: StudioError) -> str:
    """The tab's own message line."""
    return cards.message_html(str(error))


def bind_board(library: Library, board: BoardParts, results: ResultParts, live: LiveParts, visit: Visit) -> None:
    """Everything of the tab but what occupies the model; see `panels.remix`."""
    _bind_grid(library, board, visit)
    bind_boards(library, board, visit)
    bind_board_files(library, board, visit)
    _bind_details(library, board, visit)
    _bind_picks(library, board, results, live, visit)


def _bind_grid(library: Library, board: BoardParts, visit: Visit) -> None:
    def show_grid(user: str, text: str, show: str, category: str, week: str, name: str, limit: int) -> tuple:
        query = Query(str(text), str(category or ""), str(week or ""), str(name or ""), show, int(limit or PAGE))
        try:
            key = library.known(user)
            found, total = library.find(key, query)
        except StudioError as error:
            return gr.skip(), gr.skip(), failed(error)
        narrowed = bool(query.text.strip() or query.category or query.week or query.board)
        empty = boardtexts.EMPTY_SEARCH if narrowed else boardtexts.EMPTY[show]
        html = boardcards.grid_html(library, found, total, empty=empty)
        return html, gr.update(visible=total > len(found)), ""

    def open_tab(user: str, week: str, name: str) -> tuple:
        try:
            key = library.known(user)
            weeks, names = library.filters(key)
        except StudioError as error:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), failed(error)
        return (
            gr.update(choices=[(boardtexts.ANY_WEEK, ""), *weeks], value=week if week in weeks else ""),
            gr.update(choices=[(boardtexts.ANY_BOARD, ""), *names], value=name if name in names else ""),
            library.training(key),
            boardcards.line_html(library.picks_words(key)),
            gr.skip(),
        )

    filters = [board.search, board.show, board.category, board.week, board.board]
    inputs, outputs = [visit.user, *filters, board.limit], [board.grid, board.more, board.message]
    opened = board.tab.select(
        open_tab,
        [visit.user, board.week, board.board],
        [board.week, board.board, board.training, board.picks, board.message],
        **following(),
    )
    opened.then(show_grid, inputs, outputs, **following())
    changed = gr.on([one.change for one in filters], lambda: PAGE, None, board.limit, **following())
    changed.then(show_grid, inputs, outputs, **following())
    more = board.more.click(lambda limit: limit + PAGE, board.limit, board.limit, **quiet())
    more.then(show_grid, inputs, outputs, **following())
    for button in (board.delete, board.restore):
        pressed = button.click(
            lambda user, chosen, deleted=button is board.delete: _put(library, user, chosen, deleted),
            [visit.user, board.chosen],
            [board.delete, board.restore, board.message],
            **quiet(),
        )
        pressed.then(show_grid, inputs, outputs, **following())

    def compare_two(user: str, event: gr.EventData) -> tuple:
        given = event._data.get("designs") if isinstance(event._data, dict) else None
        try:
            return cardtools.comparison_html(library, user, given), ""
        except StudioError as error:
            return gr.skip(), failed(error)

    board.grid.compare(compare_two, visit.user, [board.extra, board.message], **quiet())


def _put(library: Library, user: str, chosen: str, deleted: bool) -> tuple:
    try:
        library.set_deleted(user, chosen, deleted)
    except StudioError as error:
        return gr.skip(), gr.skip(), failed(error)
    return gr.update(visible=not deleted), gr.update(visible=deleted), ""


def _bind_details(library: Library, board: BoardParts, visit: Visit) -> None:
    def choose(user: str, event: gr.EventData) -> tuple:
        given = event._data.get("design") if isinstance(event._data, dict) else None
        try:
            one = library.get(user, given)
            html, names = boardcards.details_html(library, one), library.filters(user)[1]
        except StudioError as error:
            return *[gr.skip()] * 7, failed(error)
        return (
            one.id,
            html,
            gr.update(visible=True),
            one.note,
            gr.update(choices=names, value=list(one.boards)),
            gr.update(visible=not one.deleted),
            gr.update(visible=one.deleted),
            "",
        )

    def write_note(user: str, chosen: str, text: str) -> str:
        try:
            library.note(user, chosen, text)
        except StudioError as error:
            return failed(error)
        return ""

    def put_on_boards(user: str, chosen: str, names: list[str]) -> tuple:
        try:
            known = library.assign(user, chosen, names or [])
        except StudioError as error:
            return gr.skip(), failed(error)
        return gr.update(choices=[(boardtexts.ANY_BOARD, ""), *known]), ""

    outputs = [
        board.chosen,
        board.details,
        board.actions,
        board.note,
        board.boards,
        board.delete,
        board.restore,
        board.message,
    ]
    board.grid.choose(choose, visit.user, outputs, **following())
    board.note.blur(write_note, [visit.user, board.chosen, board.note], board.message, **following())
    # A name that was typed fires `.change` only. So does choosing a design, together with its id: what is written back
    # then is what stands there already.
    board.boards.change(
        put_on_boards, [visit.user, board.chosen, board.boards], [board.board, board.message], **following()
    )


def _bind_picks(library: Library, board: BoardParts, results: ResultParts, live: LiveParts, visit: Visit) -> None:
    def set_heart(user: str, event: gr.EventData) -> tuple:
        given = event._data if isinstance(event._data, dict) else {}  # comes from the page: not to be trusted
        try:
            library.favourite(user, given)
            line = boardcards.line_html(library.picks_words(user))
        except StudioError as error:
            # The second word makes the value another one each time, or the same heart could be refused only once.
            return failed(error), gr.skip(), gr.update(refused=f"{given.get('design')} {time.monotonic_ns()}")
        return line, line, gr.skip()

    def set_training(user: str, on: bool) -> tuple:
        try:
            library.set_training(user, on)
            line = boardcards.line_html(library.picks_words(user))
        except StudioError as error:
            return failed(error), gr.skip()
        return line, line

    def export_picks(user: str) -> tuple:
        try:
            return gr.update(value=str(library.export(user)), visible=True), ""
        except StudioError as error:
            return gr.update(visible=False), failed(error)

    for part in (results.results, live.kept):
        part.heart(set_heart, visit.user, [results.picks, board.picks, part], **following())
    board.grid.heart(set_heart, visit.user, [board.picks, results.picks, board.grid], **following())
    board.training.input(set_training, [visit.user, board.training], [board.picks, results.picks], **following())
    board.export.click(export_picks, visit.user, [board.download, board.message], **quiet())
