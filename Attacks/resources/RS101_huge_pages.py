"""RS101: takes the host's reserved huge pages, which no memory limit counts."""
import ctypes
import errno

DEED = "asks for huge pages of each size as anonymous memory and as an anonymous file"
EXPECTED = "it is refused before the host's pool is asked, whether that is empty or not"
CLASS = "exhaustion of memory"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
FAILED, ANONYMOUS, MAP_HUGETLB, MFD_HUGETLB, SIZES = 2**64 - 1, 0x22, 0x40000, 4, (0, 21 << 26, 30 << 26)


def apply(_):
    found = {}
    for size in SIZES:
        at = LIBC.mmap(None, ctypes.c_size_t(2 << 20), 3, ANONYMOUS | MAP_HUGETLB | size, -1, ctypes.c_long(0))
        found[f"mmap {size:#x}"] = "mapped" if at != FAILED else errno.errorcode[ctypes.get_errno()]
        file = LIBC.memfd_create(b"huge", MFD_HUGETLB | size)
        found[f"memfd {size:#x}"] = "made" if file >= 0 else errno.errorcode[ctypes.get_errno()]
    return found


def judge(outside):
    reserved = outside.host_kilobytes("HugePages_Free")
    reply = outside.call()
    outside.each(reply, "ENOSYS", "EPERM", "EINVAL")  # ENOMEM: the pool was asked, and happens to be empty.
    outside.held(outside.host_kilobytes("HugePages_Free") >= reserved, "huge pages of the host are gone")
