"""The tokenizer: CLIP's byte-level BPE with merges that make each caption word one token.

Any text can be typed: what is no caption word falls apart into pieces or single bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from drawings import vocabulary_words
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

MAX_TOKENS = 12
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def learn_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """The merges, in order of rank, that byte-pair encoding needs to build every word whole."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=WORD_END))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=10_000, min_frequency=1, end_of_word_suffix=WORD_END, show_progress=False
    )
    tokenizer.train_from_iterator(list(words), trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges]


def new_tokenizer() -> CLIPTokenizer:
    """CLIP's order of ids: the bytes, the bytes that end a word, the merges, start, end."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = learn_merges(vocabulary_words())
    tokens = [
        *alphabet,
        *(byte + WORD_END for byte in alphabet),
        *(left + right for left, right in merges),
        START,
        END,
    ]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=MAX_TOKENS)
