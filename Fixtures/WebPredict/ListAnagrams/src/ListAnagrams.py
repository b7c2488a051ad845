"""Finds the words of a list that are anagrams of each other."""
from collections import defaultdict


class InputError(Exception):
    error_type = "InputError"


def apply(input):
    """A list of words -> those with an anagram among the others, in the same order.

    A word is no anagram of itself: one that is only repeated is not in the answer.
    """
    check_words(input)
    groups = defaultdict(set)
    for word in input:
        groups[letters(word)].add(word)
    return [word for word in input if len(groups[letters(word)]) > 1]


def letters(word):
    return "".join(sorted(word))


def check_words(words):
    if not isinstance(words, list):
        raise InputError(f"expected a JSON list of words, got {type(words).__name__}")
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise InputError(f"expected a JSON list of words, got {type(word).__name__} at index {index}")
