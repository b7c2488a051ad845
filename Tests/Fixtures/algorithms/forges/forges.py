"""Writes replies by hand to the descriptor of the runtime. The input says which:

guess  a RESULT with nonce 0                      found  broken JSON in a RESULT with the right nonce, found in frames
twice  a good RESULT with the right nonce; the runtime's own follows    partial  half a header, then nothing for ever
huge   a header that announces 4 GiB              magic  a header of another protocol
kind   a RESULT of kind 9                         ready  a READY in place of an answer
"""
import os
import struct
import sys
import time

REPLY_FD = 4


def frame(payload, nonce, kind=0x82, flags=1, magic=0xFA5D, length=None):
    return struct.pack("<HBBIQ", magic, kind, flags, len(payload) if length is None else length, nonce) + payload


def right_nonce():
    here = sys._getframe()
    while here is not None:
        if "nonce" in here.f_locals and here.f_code.co_name != "apply":
            return here.f_locals["nonce"]
        here = here.f_back
    raise LookupError("no caller has a local variable `nonce`")


def apply(mode):
    if mode == "guess":
        os.write(REPLY_FD, frame(b'"forged"', 0))
    elif mode == "found":
        os.write(REPLY_FD, frame(b'1},"metadata":{', right_nonce()))
    elif mode == "twice":
        os.write(REPLY_FD, frame(b'"forged"', right_nonce()))
    elif mode == "partial":
        os.write(REPLY_FD, frame(b"", right_nonce())[:9])
        time.sleep(1_000_000)
    elif mode == "huge":
        os.write(REPLY_FD, frame(b"", right_nonce(), length=0xFFFFFFFF))
    elif mode == "magic":
        os.write(REPLY_FD, frame(b'"forged"', right_nonce(), magic=0x4854))
    elif mode == "kind":
        os.write(REPLY_FD, frame(b"forged", right_nonce(), flags=9))
    elif mode == "ready":
        os.write(REPLY_FD, frame(b"", right_nonce(), kind=0x81))
    else:
        raise ValueError(f"unknown mode {mode!r}")
    return "honest"
