"""Counts the words of a text."""
import re
from collections import Counter


class InputError(Exception):
    """Reaches the caller as `error_type` "InputError"."""

    error_type = "InputError"


def apply(request):
    """{"text": str, "top": int = 10} -> {"words": int, "distinct": int, "top": [{"word", "count"}, …]}"""
    if not isinstance(request, dict) or not isinstance(request.get("text"), str):
        raise InputError('expected {"text": "…", "top": 10}')
    top = request.get("top", 10)
    if not isinstance(top, int) or not 1 <= top <= 1_000:
        raise InputError(f"top must be a whole number from 1 to 1000, got {top!r}")
    counts = Counter(re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", request["text"].casefold()))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "words": counts.total(),
        "distinct": len(counts),
        "top": [{"word": word, "count": count} for word, count in ranked[:top]],
    }
