"""Calls as the official clients other than Python's write them, and as curl does: bytes over a socket, a row each."""
import base64
import json
import os
import socket
import time

from harness import DaemonCase
from host import REPOSITORY
from wire import chunked, head, read_answer, talk

FIXTURES = os.path.join(REPOSITORY, "Fixtures")
RAW, SIMPLE = "{key}", "Simple {key}"
TEXT, JSON, BINARY = "text/plain", "application/json", "application/octet-stream"
CLIENTS = {
    "Java": (SIMPLE, (("User-Agent", "algorithmia-java/1.1.1"), ("Accept-Encoding", "gzip,deflate"),
                      ("Connection", "Keep-Alive"))),
    "Scala": (SIMPLE, (("User-Agent", "algorithmia-scala/1.0.1"), ("Accept", "*/*"))),
    "Node": (RAW, (("User-Agent", "algorithmia-nodejs/1.0.10 (NodeJS v10.24.1)"), ("Accept", JSON),
                   ("Connection", "close"))),
    "Ruby": (RAW, (("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"), ("Accept", "*/*"),
                   ("User-Agent", "Ruby"))),
    "C#": (SIMPLE, (("User-Agent", "Algorithmia C# Client"), ("Accept", JSON))),
    "PHP": (SIMPLE, (("User-Agent", "algorithmia-php/1.0.0 (GuzzleHttp)"),)),
    "Go": (RAW, (("User-Agent", "Algorithmia Go Client"), ("Accept-Encoding", "gzip"))),
    "Swift": (SIMPLE, (("User-Agent", "Algorithmia Swift Client"), ("Accept-Language", "en-us"))),
    "Rust": (SIMPLE, (("user-agent", "algorithmia-rust/3.0.0 (Rust rustc 1.40)"), ("accept", "*/*"))),
    "R": (RAW, (("Accept", "application/json, text/xml, application/xml, */*"), ("Accept-Encoding", "deflate, gzip"))),
    "curl": (SIMPLE, (("user-agent", "curl/7.88.1"), ("accept", "*/*"))),
}
CALLS = (
    # client, path and query, content type, body, the kind and the value of the result
    ("Java", "demo/Hello", TEXT + "; charset=UTF-8", "Jürgen", "text", "Hello Jürgen"),
    ("Java", "demo%2FHello", JSON + "; charset=UTF-8", '"Jane"', "text", "Hello Jane"),
    ("Java", "demo%2FHello%2F0.1.x", TEXT, "Jane", "text", "Hello Jane"),
    ("Java", "util/Echo?timeout=300&stdout=false", BINARY, b"\0\xff", "binary", "AP8="),
    ("Scala", "util%2fEcho%2flatest?timeout=60", JSON, "[1,2]", "json", [1, 2]),
    ("Node", "demo/Hello/?timeout=300&stdout=false", JSON, '"Jane"', "text", "Hello Jane"),
    ("Node", "util/Echo/0.1.0/?timeout=300&stdout=false", JSON, '{"a":[null]}', "json", {"a": [None]}),
    ("Node", "util/Echo/?timeout=300&stdout=false", BINARY, b"\0", "binary", "AA=="),
    ("Ruby", "demo/Hello", TEXT, "Jane", "text", "Hello Jane"),
    ("Ruby", "util/Echo?timeout=300&stdout=false", JSON, "null", "json", None),
    ("C#", "demo/Hello/0.1.x", JSON, "null", "text", "Hello null"),
    ("C#", "util/Echo?timeout=300", TEXT + "; charset=utf-8", "x", "text", "x"),
    ("PHP", "/demo/Hello", JSON, '"Jane"', "text", "Hello Jane"),
    ("PHP", "util/Echo?timeout=100&foo%5B0%5D=1", TEXT, "x", "text", "x"),
    ("Go", "demo/Hello", TEXT, "Jane", "text", "Hello Jane"),
    ("Go", "util/Echo?stdout=true&timeout=50", JSON, "true", "json", True),
    ("Swift", "demo/Hello/0.1", TEXT, "Jane", "text", "Hello Jane"),
    ("Rust", "util/Echo/0.1.0", JSON, "1.5", "json", 1.5),
    ("R", "demo/Hello", TEXT, "Jane", "text", "Hello Jane"),
    ("R", "util/Echo/?timeout=300&stdout=FALSE", JSON, '["a"]', "json", ["a"]),
    ("curl", "demo/Hello/0.1.*", JSON, '"Jane"', "text", "Hello Jane"),
    ("curl", "util/Echo", "application/text", "x", "text", "x"),
    ("curl", "util/Echo", None, "no type means text", "text", "no type means text"),
    ("curl", "UTIL//echo//", JSON, " [ NaN ] ", None, None),
)


class WireForms(DaemonCase):
    @classmethod
    def prepare(cls):
        for owner in ("demo", "util", "testing"):
            user = cls.daemon.user(owner)
            for name in os.listdir(os.path.join(FIXTURES, owner)):
                cls.daemon.deploy(os.path.join(FIXTURES, owner, name), user, name=name)
        cls.fields = {client: [("Authorization", key.format(key=cls.caller.key)), *fields]
                      for client, (key, fields) in CLIENTS.items()}

    def send(self, client, target, kind, body, lower=False, more=()):
        payload = body if isinstance(body, bytes) else body.encode()
        fields = [*self.fields[client], ("Content-Length", len(payload)), *more]
        if kind is not None:
            fields.append(("Content-Type", kind))
        if lower:
            fields = [(name.lower(), value) for name, value in fields]
        return talk(self.daemon.port, head("POST", "/v1/algo/" + target, fields) + payload)

    def test_each_clients_call_gets_the_result_in_the_envelope(self):
        for client, target, kind, body, content_type, result in CALLS:
            for lower in (False, True):
                with self.subTest(client, target=target, lower=lower):
                    reply = self.send(client, target, kind, body, lower)
                    self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "application/json"), reply)
                    if content_type is None:
                        self.assert_error(reply, "AlgorithmError", "nan")
                        continue
                    self.assertEqual(list(reply.json), ["result", "metadata"], reply)
                    self.assertEqual((reply.result, reply.metadata["content_type"]), (result, content_type))
                    self.assertIsInstance(reply.metadata["duration"], float)

    def test_each_client_gets_raw_output_bare(self):
        for client in CLIENTS:
            for kind, body, expected in ((TEXT, "Jane", b"Jane"), (JSON, '{"a": 1}', b'{"a":1}'),
                                         (BINARY, b"\0\xff", b"\0\xff")):
                with self.subTest(client, kind=kind):
                    reply = self.send(client, "util/Echo/?timeout=300&stdout=false&output=raw", kind, body)
                    self.assertEqual((reply.status, reply.body), (200, expected), reply)

    def test_each_client_gets_a_void_answer(self):
        for client in CLIENTS:
            with self.subTest(client):
                reply = self.send(client, "demo/Hello?timeout=300&output=void", JSON, '"Jane"')
                self.assertEqual((reply.status, list(reply.json)), (200, ["async", "request_id"]), reply)
                self.assertEqual(reply.json["async"], "void")

    def test_each_client_gets_failures_in_the_envelope_and_raw_ones_as_400(self):
        for client in CLIENTS:
            for target, error_type, message in (
                    ("testing/Fail", "AlgorithmError", "this algorithm always fails"),
                    ("util/whoopsWrongAlgo", "EntityNotFoundError", "algorithm algo://util/whoopsWrongAlgo not found"),
                    ("testing/Sleep?timeout=1", "TimeoutError", "algorithm did not complete within 1 second")):
                if client != "C#" and error_type == "TimeoutError":
                    continue  # A second each; the answer is written by the same code.
                with self.subTest(client, target=target):
                    self.assert_error(self.send(client, target, JSON, "5"), error_type, message)
                    raw = target + ("&" if "?" in target else "?") + "output=raw"
                    self.assert_error(self.send(client, raw, JSON, "5"), error_type, message, status=400)

    def test_an_error_type_of_the_algorithms_own_is_passed_on(self):
        for error_type in ("InputError", "UnsupportedError", "MyOwnError", "OutOfMemoryError"):
            body = json.dumps({"message": "m", "error_type": error_type})
            self.assert_error(self.send("Go", "testing/Fail", JSON, body), error_type, "m")
        for odd in (None, 7, [], ""):
            body = json.dumps({"message": "m", "error_type": odd})
            self.assert_error(self.send("Go", "testing/Fail", JSON, body), "AlgorithmError", "m")

    def test_timing_tells_running_and_total_in_seconds(self):
        reply = self.send("C#", "testing/Sleep?timing=true", JSON, "1")
        timing = reply.metadata["timing"]
        self.assertEqual(list(timing), ["running", "total"])
        self.assertGreaterEqual(timing["running"], 1)
        self.assertLess(timing["running"], 1.5)
        self.assertGreaterEqual(timing["total"], timing["running"])
        for query in ("", "?timing=false"):
            self.assertNotIn("timing", self.send("C#", "testing/Sleep" + query, JSON, "0").metadata)

    def test_a_form_of_curl_that_says_nothing_of_its_content_is_400_and_told(self):
        form = "application/x-www-form-urlencoded"
        reply = self.send("curl", "demo/Hello", form, "Jane")
        self.assert_error(reply, "SystemError", f"unsupported Content-Type '{form}'", status=400)

    def test_chunks_are_taken_for_the_body(self):
        fields = [*self.fields["Go"], ("Content-Type", TEXT), ("Transfer-Encoding", "chunked")]
        for body, size in ((b"Jane", 1), (b"", 1), (b"x" * 70_000, 4_096)):
            reply = talk(self.daemon.port, head("POST", "/v1/algo/util/Echo", fields) + chunked(body, size))
            self.assert_result(reply, body.decode())

    def test_a_client_that_asks_for_100_continue_is_told_so_at_once(self):
        body, go_on = b"x" * 2_000_000, b"HTTP/1.1 100 Continue\r\n\r\n"
        fields = [*self.fields["PHP"], ("Content-Type", BINARY), ("Expect", "100-continue")]
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30) as raw:
            for _ in range(2):
                raw.sendall(head("POST", "/v1/algo/util/Echo", [*fields, ("Content-Length", len(body))]))
                began, said = time.monotonic(), b""
                while len(said) < len(go_on):
                    said += raw.recv(len(go_on) - len(said))
                self.assertEqual(said, go_on)
                self.assertLess(time.monotonic() - began, 0.5)
                raw.sendall(body)
                self.assert_result(read_answer(raw), base64.b64encode(body).decode())

    def test_a_body_that_is_too_large_is_not_asked_for(self):
        fields = [*self.fields["PHP"], ("Content-Type", BINARY), ("Expect", "100-continue"), ("Content-Length", 1 << 40)]
        reply = talk(self.daemon.port, head("POST", "/v1/algo/util/Echo", fields))
        self.assertEqual(reply.status, 413, reply)

    def test_http_1_0_is_answered(self):
        for fields in ((), (("Connection", "close"),)):
            lines = head("POST", "/v1/algo/demo/Hello", [*self.fields["curl"][:1], ("Content-Length", 4), *fields])
            self.assert_result(talk(self.daemon.port, lines.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Jane"), "Hello Jane")

    def test_two_requests_sent_at_once_are_answered_in_order(self):
        one, two = (head("POST", "/v1/algo/demo/Hello", [*self.fields["Java"], ("Content-Length", 4)]) + name
                    for name in (b"Jane", b"John"))
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10) as raw:
            raw.sendall(one + two)
            text = b""
            while text.count(b"Hello ") < 2:
                piece = raw.recv(65_536)
                self.assertTrue(piece, text)
                text += piece
        self.assertLess(text.index(b"Hello Jane"), text.index(b"Hello John"))

    def test_keys_in_odd_spellings_of_the_header_are_taken(self):
        for value in ("Simple  {key}", "SIMPLE {key}", "simple {key}", "Bearer {key}", " {key} "):
            fields = [("authorization", value.format(key=self.caller.key)), ("content-length", 4)]
            with self.subTest(value):
                reply = talk(self.daemon.port, head("POST", "/v1/algo/demo/Hello", fields) + b"Jane")
                self.assert_result(reply, "Hello Jane")
