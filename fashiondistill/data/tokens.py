"""How many tokens a caption takes, so that it is shortened by us at a word and not by a text encoder in the middle.

In: text. Out: a count that includes the start and end tokens. CLIP's own vocabulary comes with open_clip; another one
is read from a tokenizer.json. Knows nothing of models.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

MAX_TOKENS = 77  # positions of CLIP's text encoder, start and end included
NUM_MERGES = 49_152 - 256 - 2  # of CLIP's vocabulary, as open_clip reads it from its file
CLIP_PIECES = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

CountTokens = Callable[[str], int]


def count_clip_tokens(text: str) -> int:
    """Tokens of CLIP's vocabulary, start and end included."""
    return len(_clip_tokenizer().encode(text, add_special_tokens=False).ids) + 2


def token_counter(tokenizer_json: Path) -> CountTokens:
    """The count of another vocabulary, for example the starter's.

    Args:
        tokenizer_json: a file, or the folder that holds tokenizer.json.

    Raises:
        FileNotFoundError, ValueError: naming the file.
    """
    path = tokenizer_json / "tokenizer.json" if tokenizer_json.is_dir() else tokenizer_json
    if not path.is_file():
        raise FileNotFoundError(f"tokenizer: {path} does not exist. Give a folder that holds tokenizer.json.")
    text = path.read_text(encoding="utf-8")
    try:
        known = bool(json.loads(text)["model"]["vocab"])  # checked first: tokenizers raises a bare Exception
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"tokenizer: {path} is no tokenizer.json with a vocabulary. Restore or replace the file.")
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()  # a saved file may pad to 77 and cut there, and every count would be 77
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids) + 2


@cache
def _clip_tokenizer() -> Tokenizer:
    """CLIP's byte-level BPE (Radford et al. 2021), built without importing torch."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None:
        raise FileNotFoundError("CLIP's vocabulary comes with open_clip_torch: pip install -r requirements.txt")
    path = Path(spec.submodule_search_locations[0]) / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    merges = [tuple(line.split()) for line in lines[1 : NUM_MERGES + 1]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    split = pre_tokenizers.Split(Regex(CLIP_PIECES), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer
