"""HT2: requests whose heads are too large."""
import time

DEED = "sends 100,000 headers, headers and addresses of a mebibyte, 10,000 query keys, and one endless head line"
EXPECTED = "each is refused at once or ignored where it is allowed; the daemon's memory stays flat"
CLASS = "exhaustion by heads"
LINE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
HEADS = {
    "100,000 headers": LINE + b"".join(b"a%d: b\r\n" % number for number in range(100_000)) + b"\r\n",
    "one name 100,000 times": LINE + b"a: b\r\n" * 100_000 + b"\r\n",
    "a header of 1 MiB": LINE + b"a: " + b"b" * (1 << 20) + b"\r\n\r\n",
    "a name of 1 MiB": LINE + b"a" * (1 << 20) + b": b\r\n\r\n",
    "an address of 1 MiB": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query of 1 MiB": b"GET /healthz?" + b"a&" * (1 << 19) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method of 1 MiB": b"G" * (1 << 20) + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "trailers of 1 MiB": b"POST /v1/algo/a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                         b"0\r\n" + b"a: b\r\n" * 200_000 + b"\r\n",
    "a chunk extension of 1 MiB": b"POST /v1/algo/a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                  b"1;" + b"a" * (1 << 20) + b"\r\nx\r\n0\r\n\r\n",
}


def judge(outside):
    before = outside.memory_bytes()
    for name, head in HEADS.items():
        began = time.monotonic()
        said = outside.talk(head, timeout=2)
        outside.held(not said.startswith(b"HTTP/1.1 2") or b"AuthorizationError" in said, f"{name}: {said[:100]!r}")
        outside.held(b" 500 " not in said[:20], f"{name}: {said[:200]!r}")
        outside.held(time.monotonic() - began < 1.5, f"{name}: no answer after {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    query = "&".join(f"key{number}=x" for number in range(5_000))
    said = outside.talk(b"GET /healthz?" + query.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    outside.held(b" 500 " not in said[:20] and time.monotonic() - began < 1, f"5,000 query keys: {said[:100]!r}")
    outside.held(outside.memory_bytes() - before < 64 << 20, f"the daemon grew by {outside.memory_bytes() - before} bytes")
