"""How rare a word usually is, for collections that are too small to tell.

In four passages every word stands in one or two, and nothing says that "protesters" tells more of a
question than "carry". The bundled model's vocabulary does: it lists the words of English by their
frequency, so that by Zipf's law the logarithm of a word's place says how rare it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from assistant import minilm
from assistant.analysis import every_stop_word

_FIRST = 1996  # the token "the": from it on, words stand by their frequency
_RARE = 28_500  # the place of a word that is not in the vocabulary whole
_RAREST = 5.0  # its rarity, about that of a word in one passage of 200
_PASSAGES = 60  # a collection of so many has as much to say as what is usual


def smoothed(rarity: Callable[[str], float], passages: int) -> Callable[[str], float]:
    """The rarity of a word in a collection of so many ``passages``, made steady by the usual one.

    0 stays for stop words.
    """

    def weight(word: str) -> float:
        folded = word.casefold()
        if folded in every_stop_word():
            return 0.0
        return (passages * rarity(word) + _PASSAGES * usual(folded)) / (passages + _PASSAGES)

    return weight


@lru_cache(maxsize=65536)
def usual(word: str) -> float:
    """How rare a word in lower case is in English, 0 to 5; one of another language is 5."""
    token = minilm.load("fp32").tokenizer.token_to_id(word)
    place = _RARE if token is None else max(token - _FIRST + 1, 1)
    return _RAREST * math.log(min(place, _RARE) + 1) / math.log(_RARE + 1)
