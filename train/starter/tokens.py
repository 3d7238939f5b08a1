"""The starter's vocabulary: a byte-level BPE in CLIP's own format, learnt from the captions and the shared word lists.

In: captions. Out: a transformers CLIPTokenizer (77 positions). Byte level, so that any prompt can be encoded; words
of the lists become single tokens, words that no caption holds fall into pieces that the model has hardly seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from fashiondistill.data.attributes import COLOURS, PATTERNS
from fashiondistill.data.categories import PHOTO_LABELS
from train.starter.ranks import Ranks

MAX_LENGTH = 77
VOCAB_SIZE = 2048
START, END = "<|startoftext|>", "<|endoftext|>"

# Words that designers are likely to type beside those of the captions; they earn a token of their own.
EXTRA_WORDS = (
    "a an the with and in of on for photo drawing picture garment plain striped checked patterned printed floral "
    "dotted denim cotton linen wool knit knitted lace silk satin leather suede jersey sleeveless sleeves sleeved "
    "short long collar collared neck v-neck crew round high waist slim wide loose fitted oversized cropped pleated "
    "hooded zip button buttons pocket pockets belt hem cuff casual formal summer winter spring autumn soft light "
    "dark bright pale deep"
)


def train_tokenizer(captions: list[str], *, vocab_size: int = VOCAB_SIZE) -> CLIPTokenizer:
    """Learn merges from captions and word lists; the end-of-text token gets the highest id, as open_clip expects."""
    words = [c.word for c in COLOURS] + list(PATTERNS) + [noun for _, noun in PHOTO_LABELS.values()]
    corpus = captions + (words + EXTRA_WORDS.split()) * 50
    empty = CLIPTokenizer()  # for CLIP's own splitting of text; its merges are learnt here
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = empty.backend_tokenizer.normalizer
    learner.pre_tokenizer = empty.backend_tokenizer.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(corpus, trainer)
    model = json.loads(learner.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    pieces += [
        f"{byte}</w>" for byte in sorted(pre_tokenizers.ByteLevel.alphabet()) if f"{byte}</w>" not in model["vocab"]
    ]
    vocab = {piece: number for number, piece in enumerate([*pieces, START, END])}
    return CLIPTokenizer(vocab=vocab, merges=[tuple(pair) for pair in model["merges"]], model_max_length=MAX_LENGTH)


def stage_tokenizer(folder: Path, ranks: Ranks, captions: Iterable[str]) -> CLIPTokenizer:
    """The vocabulary of the stage in `folder`: learnt and written once, then read, by every process and every run.

    Two trainings on the same captions number the pieces differently (the library counts words in hash order), so a
    process that learnt its own would read other words in the same ids.
    """
    if ranks.leads and not (folder / "tokenizer").is_dir():
        part = folder / "tokenizer.part"
        train_tokenizer(list(captions)).save_pretrained(part)
        os.replace(part, folder / "tokenizer")
    ranks.wait()
    return CLIPTokenizer.from_pretrained(folder / "tokenizer")


def encode(tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """int64 [N, 77] ids, padded with the end-of-text token.

    Raises:
        ValueError: if a caption is longer than 77 tokens; nothing is cut silently.
    """
    ids = tokenizer(captions, padding="max_length", max_length=MAX_LENGTH, return_tensors="pt").input_ids
    if ids.shape[1] > MAX_LENGTH:
        raise ValueError(f"a caption has {ids.shape[1]} tokens; the text encoder takes {MAX_LENGTH}. Shorten it.")
    return ids
