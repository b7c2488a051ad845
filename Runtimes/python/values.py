"""Finds JSON objects in a stream of bytes as they come, in time that grows with its length alone."""
import re
from itertools import accumulate

_FLAT = re.compile(rb'(?:[^"{}\[\]]*"(?:[^"\\]*\\.){0,50}[^"\\]*"){0,500}[^"{}\[\]]*', re.DOTALL)
"""A run without brackets, up to one or to the start of a string that has many escapes or does not end in this piece.

Each turn of a group takes memory, hence the bounds. Possessive groups would take none, but before Python 3.11.5 a turn
that fails does not go back to where it began.
"""
_BRACKETS_MANY = 1_000
"""In a piece with more of them, they are counted instead of looked at one by one."""
_STEPS = [0] * 256
_STEPS[ord("{")] = _STEPS[ord("[")] = 1
_STEPS[ord("}")] = _STEPS[ord("]")] = -1
_NO_BRACKETS = bytes(byte for byte in range(256) if not _STEPS[byte])
_QUOTE = b'"'
_SPACE = b" \t\r\n"


class NotAnObject(Exception):
    """The stream goes on with something that does not begin an object."""


class ValueTooLarge(Exception):
    """An object is longer than the limit; the message has both."""


class Objects:
    """Takes pieces of any length, gives back whole objects.

    Neither a newline nor an end of file ends an object: writers differ in what they send behind it.
    """

    def __init__(self, bytes_max):
        self._bytes_max = bytes_max
        self.reset()

    def reset(self):
        """Forgets what came so far."""
        self._pieces, self._bytes, self._depth = [], 0, 0
        self._in_string = self._escaped = False

    def feed(self, piece):
        """The bytes of an object that ends in this piece, else None; what follows it in the piece is dropped."""
        if self._depth == 0:
            piece = piece.lstrip(_SPACE)
            if not piece:
                return None
            if piece[:1] != b"{":
                raise NotAnObject(f"expected an object, found {piece[:40]!r}")
        end = None if self._pass_over(piece) else self._end(piece)
        self._bytes += len(piece) if end is None else end
        if self._bytes > self._bytes_max:
            raise ValueTooLarge(f"the answer has at least {self._bytes} bytes; the limit is {self._bytes_max} bytes")
        self._pieces.append(piece if end is None else piece[:end])
        if end is None:
            return None
        whole = b"".join(self._pieces)
        self.reset()
        return whole

    def _pass_over(self, piece):
        """Takes a piece with many brackets and no escapes as a whole; false when that cannot be, or an end may be in it."""
        if self._escaped or piece.count(b"[") + piece.count(b"{") < _BRACKETS_MANY or b"\\" in piece:
            return False
        parts = piece.split(_QUOTE)
        depths = list(accumulate(map(_STEPS.__getitem__, b"".join(parts[self._in_string :: 2]).translate(None, _NO_BRACKETS))))
        if not depths or self._depth + min(depths) <= 0:
            return False
        self._depth += depths[-1]
        self._in_string ^= len(parts) % 2 == 0
        return True

    def _end(self, piece):
        """Where the outermost object ends in this piece, or None."""
        at = 0
        while at < len(piece):
            if self._escaped:
                self._escaped = False
                at += 1
            elif self._in_string:
                quote = piece.find(_QUOTE, at)
                before = piece[at:] if quote < 0 else piece[at:quote]
                is_escaped = (len(before) - len(before.rstrip(b"\\"))) % 2 == 1
                if quote < 0:
                    self._escaped = is_escaped
                    break
                self._in_string = is_escaped
                at = quote + 1
            else:
                at = _FLAT.match(piece, at).end()
                if at == len(piece):
                    break
                byte = piece[at]
                at += 1
                if byte in _QUOTE:
                    self._in_string = True
                elif byte in b"{[":
                    self._depth += 1
                else:
                    self._depth -= 1
                    if self._depth == 0:
                        return at
        return None
