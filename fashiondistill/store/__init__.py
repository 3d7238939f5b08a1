"""What a designer made, kept: designs, boards, favourites, notes, history and the picks that train the model."""

from fashiondistill.store.files import StoreError, default_store_dir
from fashiondistill.store.picks import Pick, export_picks, read_picks
from fashiondistill.store.records import DesignRecord, Query, RequestRecord, new_id
from fashiondistill.store.store import Store

__all__ = [
    "DesignRecord",
    "Pick",
    "Query",
    "RequestRecord",
    "Store",
    "StoreError",
    "default_store_dir",
    "export_picks",
    "new_id",
    "read_picks",
]
