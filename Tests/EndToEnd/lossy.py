"""A bad network before the daemon: some replies never arrive, some requests arrive twice. Listens on this machine only."""
import http.client
import random
import socket
import threading

from wire import connection, send

HEAD_BYTES_MAX = 64 << 10


class Lossy:
    """A proxy for one request per connection.

    Of a hundred requests it sends about `duplicated` twice, at the same time, and of a hundred replies it drops about
    `dropped`, after the daemon has given them.
    """

    def __init__(self, place, seed, dropped=5, duplicated=5):
        self.place, self.dropped, self.duplicated = place, dropped, duplicated
        self.dice, self.lock = random.Random(seed), threading.Lock()
        self.sent = self.twice = self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.accepting = threading.Thread(target=self._accept)
        self.accepting.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()
        for thread in self.threads:
            thread.join()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, client):
        with client:
            client.settimeout(60)
            request = read_request(client)
            if request is None:
                return
            with self.lock:
                is_twice, is_lost = (self.dice.randrange(100) < part for part in (self.duplicated, self.dropped))
                self.sent, self.twice, self.lost = self.sent + 1, self.twice + is_twice, self.lost + is_lost
            other = threading.Thread(target=self._forward, args=request) if is_twice else None
            if other:
                other.start()
            reply = self._forward(*request)
            if other:
                other.join()
            if reply is not None and not is_lost:
                client.sendall(written(reply))

    def _forward(self, method, path, headers, body):
        opened = connection(self.place, 60)
        try:
            return send(opened, method, path, body, headers)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            opened.close()


def read_request(client):
    """A whole request with a Content-Length; None when the client has gone."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = client.recv(65_536)
        if not part or len(raw) > HEAD_BYTES_MAX:
            return None
        raw += part
    head, body = raw.split(b"\r\n\r\n", 1)
    first, *fields = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(field.split(": ", 1) for field in fields)
    length = int(headers.get("Content-Length", 0))
    while len(body) < length:
        part = client.recv(65_536)
        if not part:
            return None
        body += part
    return method, path, headers, body


def written(reply):
    """A reply as it goes over the wire, whole, and with the end of the connection as its end."""
    kept = [(name, value) for name, value in reply.headers.items() if name.lower() not in ("transfer-encoding", "content-length", "connection")]
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in kept), f"Content-Length: {len(reply.body)}", "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + reply.body
