"""FashionDistill Studio: python app.py opens the page in this machine's browser; also the entry of a Space.

In: the flags of `StudioConfig`. Everything is local: no analytics, no hub, no fonts from elsewhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

os.environ.update(  # read once, when gradio and huggingface_hub are imported, so this stands before them
    GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1"
)

from fashiondistill.cli import add_flags, config_from  # noqa: E402
from fashiondistill.config import StudioConfig  # noqa: E402
from fashiondistill.store import Store, default_store_dir  # noqa: E402
from studio import language  # noqa: E402
from studio.engine import DesignEngine  # noqa: E402
from studio.library import Library  # noqa: E402


def launch(  # noqa: ANN201 - gradio comes later
    engine: DesignEngine, config: StudioConfig, *, store: Store | None = None, block: bool = True
):
    """Serve the page; prints the URL. With `block=False` returns the running gr.Blocks.

    The page's language becomes that of the whole process.
    """
    from studio.layout import build_page, launch_options

    if config.mcp and importlib.util.find_spec("mcp") is None:  # gradio would leave the tools out without a word
        raise ValueError("--mcp is not usable: the package mcp is missing. pip install 'gradio[mcp]', or say --no-mcp.")
    language.choose(config.language)
    store = store or open_store(config)
    page = build_page(engine, Library(engine, store))
    port = config.port or None  # gradio takes None for "any free port"
    # A request that waits in `turns` holds a job and now and then a thread of gradio's, which has 40 of each.
    options = launch_options(config.language) | {"mcp_server": config.mcp, "max_threads": 40 + config.max_queue}
    page.launch(server_name=config.host, server_port=port, quiet=True, prevent_thread_lock=True, **options)
    print(f"FashionDistill Studio: {page.local_url} (designs are kept in {store.folder})", flush=True)
    if block:
        page.block_thread()
    return page


def open_store(config: StudioConfig) -> Store:
    """Where designs are kept; on a Space without a bucket that folder goes with the container, and that is said."""
    folder = Path(config.store_dir) if config.store_dir else default_store_dir()
    if os.environ.get("SPACE_ID") and not folder.is_relative_to("/data"):
        print(f"designs are kept in {folder} until this Space restarts: attach a bucket at /data", file=sys.stderr)
    return Store.open(folder)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    parser = argparse.ArgumentParser(prog="python app.py", description=__doc__.splitlines()[0])
    add_flags(parser, StudioConfig)
    arguments = parser.parse_args(argv)
    try:
        config = config_from(arguments, StudioConfig)
        language.choose(config.language)  # here, too: a language that cannot be used is said before models are loaded
        store = open_store(config)  # first: a folder that cannot be used is said before models are loaded
        launch(DesignEngine.open(config), config, store=store)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # the port is taken
        print(f"error: --port {config.port} is not usable: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
