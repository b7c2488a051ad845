"""HT104: requests whose end is a matter of opinion."""

DEED = "sends two lengths, a length and chunks, chunk sizes out of range, folded headers, with a request hidden inside"
EXPECTED = "the hidden request is never answered: it is a body, or the connection ends with 400"
CLASS = "smuggling"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FORMS = {
    "a length and chunks": (LENGTH + CHUNKED, b"0\r\n\r\n" + HIDDEN), "chunks and a length": (CHUNKED + LENGTH, b"0\r\n\r\n" + HIDDEN),
    "two lengths": (b"Content-Length: 0\r\n" + LENGTH, HIDDEN),
    "two lengths, larger first": (LENGTH + b"Content-Length: 0\r\n", HIDDEN),
    "a list of lengths": (b"Content-Length: 0, 35\r\n", HIDDEN), "a sign": (b"Content-Length: +0\r\n", HIDDEN),
    "a negative length": (b"Content-Length: -1\r\n", HIDDEN),
    "a length that wraps": (b"Content-Length: 18446744073709551616\r\n", HIDDEN),
    "hexadecimal": (b"Content-Length: 0x0\r\n", HIDDEN), "a space before the colon": (b"Content-Length : 0\r\n", HIDDEN),
    "folded": (b"X: y\r\n Content-Length: 0\r\n" + LENGTH, HIDDEN), "a bare CR": (b"X: y\rContent-Length: 0\r\n" + LENGTH, HIDDEN),
    "NUL": (b"Content-Length: 0\0\r\n", HIDDEN), "other chunks": (b"Transfer-Encoding: xchunked\r\n" + LENGTH, HIDDEN),
    "chunks twice": (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + HIDDEN),
    "chunks with a tab": (b"Transfer-Encoding:\x0bchunked\r\n" + LENGTH, HIDDEN),
    "a chunk that wraps": (CHUNKED, b"10000000000000000\r\n\r\n0\r\n\r\n" + HIDDEN), "a chunk below 0": (CHUNKED, b"-1\r\n\r\n" + HIDDEN),
    "a chunk of hexadecimal": (CHUNKED, b"0x0\r\n\r\n" + HIDDEN), "a chunk without its end": (CHUNKED, b"1\r\nxx0\r\n\r\n" + HIDDEN),
    "a length in a trailer": (CHUNKED, b"0\r\nContent-Length: 35\r\nX: " + HIDDEN),
    "an old version": (b"Connection: keep-alive\r\n" + CHUNKED + LENGTH, b"0\r\n\r\n" + HIDDEN),
}


def judge(outside):
    for name, (fields, body) in FORMS.items():
        version = b"1.0" if name == "an old version" else b"1.1"
        said = outside.talk(b"POST /v1/algo/passer/echo HTTP/%s\r\nHost: x\r\nAuthorization: %s\r\n%s\r\n%s" % (
            version, outside.attacker.key.encode(), fields, body), timeout=0.15)
        outside.held(b"\r\n\r\nok\n" not in said, f"{name}: the hidden request was answered: {said[:80]!r}")
        outside.held(b"HTTP/1.1 500" not in said, f"{name}: {said[:200]!r}")
    said = outside.talk(HIDDEN, timeout=0.3)
    outside.held(b"\r\n\r\nok\n" in said, f"an open request is not answered, this judges nothing: {said[:80]!r}")
