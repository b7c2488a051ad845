"""A shared library for LD_PRELOAD that says its process is root, made without a compiler.

stress-ng leaves out what needs rights that it does not see in itself. It asks capget(2), and geteuid(2) when that fails;
here the one always fails and the other always answers 0, so that it tries everything.
"""
import platform
import struct

# The machine's number in ELF, and the code of `return 0` and `return -1`.
CODE = {
    "x86_64": (62, bytes.fromhex("31c0c3") + b"\x90" * 5, bytes.fromhex("83c8ffc3") + b"\x90" * 4),
    "aarch64": (183, bytes.fromhex("00008052c0035fd6"), bytes.fromhex("00008012c0035fd6")),
}
PAGE = 0x10000
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
R, W, X = 4, 2, 1
DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT = 4, 5, 6, 10, 11
HEADERS_BYTES = 64 + 4 * 56


def library(machine=None):
    """The bytes of the library: one page of code and names, one that the loader writes to."""
    number, zero, minus_one = CODE[machine or platform.machine()]
    names = b"\0geteuid\0capget\0"
    code_at = HEADERS_BYTES
    symbols_at = code_at + len(zero) + len(minus_one)
    symbols = b"".join(struct.pack("<IBBHQQ", *symbol) for symbol in (
        (0, 0, 0, 0, 0, 0),
        (names.index(b"geteuid"), 0x12, 0, 1, code_at, len(zero)),
        (names.index(b"capget"), 0x12, 0, 1, code_at + len(zero), len(minus_one)),
    ))
    # One bucket, whose chain is symbol 1, then 2, then the end.
    table_at, table = symbols_at + len(symbols), struct.pack("<6I", 1, 3, 1, 0, 2, 0)
    names_at = table_at + len(table)
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in (
        (DT_HASH, table_at), (DT_STRTAB, names_at), (DT_SYMTAB, symbols_at), (DT_STRSZ, len(names)), (DT_SYMENT, 24), (0, 0)))
    front = headers(number, names_at + len(names), len(dynamic)) + zero + minus_one + symbols + table + names
    return front.ljust(PAGE, b"\0") + dynamic


def headers(number, front_bytes, dynamic_bytes):
    """The header of the file and those of its segments."""
    file = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, number, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0)
    return file + b"".join(struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, align) for kind, flags, at, size, align in (
        (PT_LOAD, R | X, 0, front_bytes, PAGE),
        (PT_LOAD, R | W, PAGE, dynamic_bytes, PAGE),
        (PT_DYNAMIC, R | W, PAGE, dynamic_bytes, 8),
        (PT_GNU_STACK, R | W, 0, 0, 16),
    ))
