"""Of the Board tab: renaming, deleting and restoring boards, and what is shown as files to take away."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from fashiondistill.store import Query
from studio import boards, boardtexts, cards, texts
from studio.exporting import Kind
from studio.library import Library
from studio.panels.events import following, quiet
from studio.panels.exports import SAVE, hand_over
from studio.panels.parts import BoardFiles, BoardParts, BoardTools, Visit
from studio.state import StudioError


def board_tools() -> BoardTools:
    """Shown when a board is chosen, and when there is a deleted one to be brought back."""
    with gr.Row(visible=False, elem_id="board-tools") as chosen:
        name = gr.Textbox(label=boardtexts.BOARD_NAME, max_lines=1, elem_id="board-name")
        rename = gr.Button(boardtexts.RENAME_BOARD, size="sm", elem_id="board-rename")
        delete = gr.Button(boardtexts.DELETE_BOARD, size="sm", elem_id="board-drop")
    with gr.Row(visible=False, elem_id="board-gone") as gone:
        names = gr.Dropdown(
            [], label=boardtexts.DELETED_BOARDS, info=boardtexts.DELETED_HINT, elem_id="board-gone-name"
        )
        restore = gr.Button(boardtexts.RESTORE_BOARD, size="sm", elem_id="board-bring-back")
    return BoardTools(chosen, name, rename, delete, gone, names, restore)


def board_files() -> BoardFiles:
    """Above the grid."""
    with gr.Row(elem_id="board-files"):
        gr.HTML(f'<p class="fd-label">{cards.escape(boardtexts.EXPORT_SHOWN)}</p>', elem_id="board-files-label")
        archive = gr.Button(texts.EXPORT_ZIP, size="sm", elem_id="board-zip")
        sheet = gr.Button(texts.EXPORT_PDF, size="sm", elem_id="board-pdf")
        table = gr.Button(texts.EXPORT_CSV, size="sm", elem_id="board-csv")
    return BoardFiles(archive, sheet, table, gr.File(visible="hidden"))


def bind_boards(library: Library, board: BoardParts, visit: Visit) -> None:
    tools = board.tools

    def names_again(user: str, design: str, name: str) -> tuple:
        """What shows names of boards: the filter with `name` chosen, and the boards of the chosen design."""
        known = library.filters(user)[1]
        filtered = gr.update(choices=[(boardtexts.ANY_BOARD, ""), *known], value=name)
        # Or the next change would make a board of the old name.
        of_design = list(library.get(user, design).boards) if design else []
        return filtered, gr.update(choices=known, value=of_design)

    def rename_board(user: str, design: str, name: str, new_name: str) -> tuple:
        try:
            return *names_again(user, design, boards.rename(library, user, name, new_name)), ""
        except StudioError as error:
            return gr.skip(), gr.skip(), cards.message_html(str(error))

    def delete_board(user: str, design: str, name: str) -> tuple:
        try:
            boards.set_deleted(library, user, name, True)
            gone = gr.update(choices=boards.deleted(library, user), value=name)
            return *names_again(user, design, ""), gr.update(visible=True), gone, ""
        except StudioError as error:
            return *[gr.skip()] * 4, cards.message_html(str(error))

    def restore_board(user: str, design: str, name: str) -> tuple:
        try:
            boards.set_deleted(library, user, name, False)
            return *names_again(user, design, name), gr.update(visible=False), "all", ""
        except StudioError as error:
            return *[gr.skip()] * 4, cards.message_html(str(error))

    def show_gone(user: str, show: str) -> tuple:
        try:
            names = boards.deleted(library, user) if show == "deleted" else []
        except StudioError as error:
            return gr.skip(), gr.skip(), cards.message_html(str(error))
        known = gr.update(choices=names, value=names[0]) if names else gr.skip()
        return gr.update(visible=bool(names)), known, gr.skip()

    board.board.change(
        lambda name: (gr.update(visible=bool(name)), name), board.board, [tools.chosen, tools.name], **following()
    )
    board.show.change(show_gone, [visit.user, board.show], [tools.gone, tools.names, board.message], **following())
    inputs, shown = [visit.user, board.chosen], [board.board, board.boards]
    gr.on(
        [tools.rename.click, tools.name.submit],
        rename_board,
        [*inputs, board.board, tools.name],
        [*shown, board.message],
        **quiet(),
    )
    tools.delete.click(
        delete_board, [*inputs, board.board], [*shown, tools.gone, tools.names, board.message], **quiet()
    )
    tools.restore.click(
        restore_board, [*inputs, tools.names], [*shown, tools.gone, board.show, board.message], **quiet()
    )


def bind_board_files(library: Library, board: BoardParts, visit: Visit) -> None:
    def exporter(kind: Kind) -> Callable[..., tuple]:
        def export_board(user: str, *filters: str) -> tuple:
            text, show, category, week, name = filters
            query = Query(str(text), str(category or ""), str(week or ""), str(name or ""), show)
            return hand_over(board.files.file, lambda: boards.export_shown(library, user, kind, query))

        return export_board

    files = board.files
    filters = [board.search, board.show, board.category, board.week, board.board]
    for button, kind in ((files.archive, "zip"), (files.sheet, "pdf"), (files.table, "csv")):
        made = button.click(exporter(kind), [visit.user, *filters], [files.file, board.message], **quiet())
        made.success(fn=None, inputs=files.file, js=SAVE, **quiet())
