"""FS103: throws the host's files out of memory."""
import ctypes
import mmap
import os

DEED = "asks the kernel to forget the cached pages of files that host and tenants share (fadvise, madvise)"
EXPECTED = "what the host has in memory stays there: others' cold starts read nothing from the disk again"
CLASS = "slowing others down"
MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT = 4, 20, 21


def apply(file):
    opened = os.open(file, os.O_RDONLY)
    with mmap.mmap(opened, 0, prot=mmap.PROT_READ) as view:
        for advice in (MADV_COLD, MADV_PAGEOUT, MADV_DONTNEED):
            try:
                view.madvise(advice)
            except OSError:
                pass
    for advice in (os.POSIX_FADV_NOREUSE, os.POSIX_FADV_DONTNEED):
        try:
            os.posix_fadvise(opened, 0, 0, advice)
        except OSError:
            pass


def resident(path):
    """The share of a file's pages that are in memory, as root of the host may know."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as view:
        pages = -(-len(view) // mmap.PAGESIZE)
        there = ctypes.create_string_buffer(pages)
        start = ctypes.c_char.from_buffer(view)
        ctypes.CDLL(None).mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(view)), there)
        del start
        return sum(page & 1 for page in there.raw) / pages


def judge(outside):
    file = os.path.join(os.path.dirname(os.__file__), "turtle.py")  # Nobody has it mapped.
    with open(file, "rb") as opened:
        opened.read()
    outside.held(resident(file) == 1, f"{file} cannot be kept in memory: nothing can be said")
    outside.call(file)
    outside.held(resident(file) > 0.9, f"of {file}, {resident(file):.0%} is left in memory")
