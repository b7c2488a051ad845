"""HTTP as the tests need it: one request, one whole answer, and sockets for requests that are not whole."""
import http.client
import json
import socket


class Unix(str):
    """The path of a Unix socket, where a port would be."""


class Reply:
    """A whole answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json.get("error", {})

    @property
    def result(self):
        return self.json["result"]

    @property
    def metadata(self):
        return self.json["metadata"]

    @property
    def call_id(self):
        return self.headers["X-Faasd-Call-Id"]

    @property
    def charge(self):
        """Microcredits of the receipt."""
        return int(self.headers["X-Faasd-Charge-Microcredits"])

    @property
    def start(self):
        """`warm`, or `cold` however the worker came to be."""
        return "warm" if self.how == "warm" else "cold"

    @property
    def how(self):
        """How the worker came to be: warm, blank, zygote, exec."""
        return self.headers["X-Faasd-Start"]

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:600]!r}>"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connection(place, timeout=60):
    """A connection to a port of this machine, or to a Unix socket."""
    if isinstance(place, Unix):
        return _UnixConnection(str(place), timeout)
    return http.client.HTTPConnection("127.0.0.1", place, timeout=timeout)


def send(opened, method, path, body=None, headers=()):
    """One request on a connection that stays open."""
    opened.request(method, path, body, dict(headers))
    answer = opened.getresponse()
    return Reply(answer.status, answer.headers, answer.read())


def ask(place, method, path, body=None, headers=(), timeout=60):
    """One request on a connection of its own."""
    opened = connection(place, timeout)
    try:
        return send(opened, method, path, body, headers)
    finally:
        opened.close()


def head(method, path, fields):
    """The head of a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(body, size=1 << 20):
    """The body in chunks, the last one included."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def talk(port, payload, timeout=60):
    """Sends bytes as they are, and reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as raw:
        try:
            raw.sendall(payload)
        except OSError:
            pass  # A server that has seen enough may close; what it said before counts.
        return read_answer(raw)


def read_answer(raw):
    answer = http.client.HTTPResponse(raw)
    answer.begin()
    return Reply(answer.status, answer.headers, answer.read())
