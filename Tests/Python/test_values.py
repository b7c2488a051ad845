"""The finder of JSON objects in a stream: wherever the stream is cut, whatever stands around an object."""
import json
import os
import random
import sys
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # Puts the runtime where `import` finds it.

import values
from values import NotAnObject, Objects, ValueTooLarge

LIMIT = 1_000
DOCUMENTS = (
    b"{}",
    b'{"a":[]}',
    b'{"a": {"b": [{"c": [[], {}]}]}, "d": [1, [2, [3]]]}',
    rb'{"quote": "\"", "backslash": "\\", "both": "\\\"", "more": "\\\\\\\"}"}',
    rb'{"}": "]", "{\"": "}{][", "\\": "\\"}',
    rb'{"unicode": "\u007b\u007D\u0022\ud83d\ude00", "raw": "' + "é€😀".encode() + b'"}',
    b'{\n\t"white" :\r\n [ 1 ,\n2 ] }',
    b'{"control": "\x00\x01\n\x7f", "not UTF-8": "\xff\xfe\xc3"}',
    b'{"empty": "", "e": [null, true, false, -1.5e+9, NaN]}',
    b'{"error":{"message":"m","stacktrace":"  File \\"a.py\\", line 1\\n    x = {\\"a\\": [1}"}}',
)


def feed(objects, *pieces):
    """What each piece brought."""
    return [objects.feed(piece) for piece in pieces]


class Cutting(unittest.TestCase):
    def test_a_document_is_whole_wherever_it_is_cut_in_two(self):
        for document in DOCUMENTS:
            for at in range(1, len(document)):
                with self.subTest(document[:at]):
                    self.assertEqual(feed(Objects(LIMIT), document[:at], document[at:]), [None, document])

    def test_a_document_is_whole_wherever_it_is_cut_in_three(self):
        document = DOCUMENTS[3]
        for first in range(1, len(document)):
            for second in range(first, len(document)):
                found = feed(Objects(LIMIT), document[:first], document[first:second], document[second:])
                self.assertEqual(found, [None, None, document])

    def test_a_document_is_whole_byte_by_byte_and_at_once(self):
        for document in DOCUMENTS:
            with self.subTest(document):
                self.assertEqual(feed(Objects(LIMIT), document), [document])
                pieces = [document[at : at + 1] for at in range(len(document))]
                self.assertEqual(feed(Objects(LIMIT), *pieces), [None] * (len(document) - 1) + [document])

    def test_runs_that_are_longer_than_a_pattern_takes_at_once(self):
        for count in (49, 50, 51, 499, 500, 501, 1_100):
            strings, escapes = ",".join(['"{"'] * count), "\\n\\\"" * count
            document = f'{{"a":[{strings},"{escapes}","]"]}}'.encode()
            for at in range(1, len(document), 97):
                self.assertEqual(feed(Objects(1 << 20), document[:at], document[at:]), [None, document], f"{count}, {at}")

    def test_empty_pieces_change_nothing(self):
        self.assertEqual(feed(Objects(LIMIT), b"", b"{", b"", b'"\\', b"", b'"":1', b"", b"}", b""),
                         [None] * 7 + [b'{"\\"":1}', None])

    def test_random_documents_in_random_pieces(self):
        seed = int(os.environ.get("FAASD_TEST_SEED", "20261123"))
        rng = random.Random(seed)
        for turn in range(300):
            document = json.dumps({"x": self.value(rng, 4)}, ensure_ascii=rng.random() < 0.5).encode()
            objects, at, found = Objects(1 << 20), 0, None
            while found is None and at < len(document):
                size = rng.randint(1, 9)
                found, at = objects.feed(document[at : at + size]), at + size
            self.assertEqual((found, at >= len(document)), (document, True), f"seed {seed}, turn {turn}")

    def value(self, rng, depth):
        text = "".join(rng.choice('a"\\{}[]:,\n é😀') for _ in range(rng.randint(0, 8)))
        if depth == 0:
            return rng.choice((text, None, True, rng.random(), rng.randint(-9, 9)))
        inner = [self.value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
        return rng.choice((text, inner, {text + str(index): value for index, value in enumerate(inner)}))


class Around(unittest.TestCase):
    def test_white_space_before_an_object_is_no_part_of_it(self):
        for before in (b" ", b"\n", b"\r\n\t ", b"\n" * 5_000):
            for pieces in ((before + b"{}",), (before, b"{}"), (before, before, b"\n{", b"}")):
                self.assertEqual(feed(Objects(2), *pieces)[-1], b"{}")
        self.assertEqual(feed(Objects(4), b"{", b" \n", b"}"), [None, None, b"{ \n}"])

    def test_what_follows_an_object_in_its_piece_is_dropped(self):
        for behind in (b"\n", b"  \n\n", b"garbage", b"}", b'{"b":2}', b'{"half":', b'"'):
            for head in ((), (b'{"a"',)):
                objects = Objects(LIMIT)
                last = (b":1}" if head else b'{"a":1}') + behind
                self.assertEqual(feed(objects, *head, last)[-1], b'{"a":1}')
                self.assertEqual(feed(objects, b'{"next"', b":3}"), [None, b'{"next":3}'])

    def test_another_first_byte_is_no_object(self):
        for piece, shown in ((b"[1]", "b'[1]'"), (b'"{}"', "{}"), (b"null", "null"), (b"}", "}"), (b"\0{}", "x00"),
                             (b"\xef\xbb\xbf{}", "xef"), (b"\x0b{}", "x0b"), (b"Traceback " + b"x" * 99, "x" * 30 + "'")):
            for before in (b"", b" \n"):
                with self.subTest(piece), self.assertRaises(NotAnObject) as caught:
                    feed(Objects(LIMIT), before, before + piece)
                self.assertIn(shown, str(caught.exception))

    def test_garbage_behind_an_object_in_a_later_piece_is_found(self):
        objects = Objects(LIMIT)
        self.assertEqual(feed(objects, b"{}", b"\n"), [b"{}", None])
        with self.assertRaises(NotAnObject):
            objects.feed(b"}")

    def test_reset_forgets_an_object_wherever_it_stood(self):
        for half in (b"{", b'{"a', b'{"a\\', b'{"a":[', b'{"a":"b"'):
            objects = Objects(9)
            feed(objects, half)
            objects.reset()
            self.assertEqual(feed(objects, b'{"x":[1]}'), [b'{"x":[1]}'])


class Size(unittest.TestCase):
    def test_the_limit_counts_the_object_alone(self):
        for size, ok in ((LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False)):
            document = b'{"a":"' + b"x" * (size - 8) + b'"}'
            for pieces in ((document + b" " * 50,), (b" " * 50, document), (document[:-1], document[-1:] + b"{}"),
                           tuple(document[at : at + 7] for at in range(0, size, 7))):
                if ok:
                    self.assertEqual(feed(Objects(LIMIT), *pieces)[-1], document)
                else:
                    with self.assertRaisesRegex(ValueTooLarge, f"at least {LIMIT + 1} bytes; the limit is {LIMIT} bytes"):
                        feed(Objects(LIMIT), *pieces)

    def test_an_object_that_never_ends_is_refused_before_it_ends(self):
        for start in (b'{"a":"', b"{" * 9, b'{"a":['):
            objects = Objects(LIMIT)
            feed(objects, start, b" " * (LIMIT - len(start)))
            with self.assertRaises(ValueTooLarge):
                objects.feed(b" ")

    def test_objects_of_many_brackets_are_found_where_they_end(self):
        random.seed(7)
        with unittest.mock.patch.object(values, "_BRACKETS_MANY", 2):
            for _ in range(3_000):
                document = json.dumps({"r": self.value(0)}, ensure_ascii=random.random() < 0.5).encode()
                stream, size = document + random.choice((b"", b"\n", b' {"x":1}', b"}", b",{")), random.randrange(1, 40)
                objects = Objects(LIMIT * 100)
                pieces = (objects.feed(stream[at : at + size]) for at in range(0, len(stream), size))
                self.assertEqual(next(filter(None, pieces), None), document)

    def value(self, depth):
        kind = random.randrange(6)
        if depth > 4 or kind == 0:
            return random.choice((1, "a", "{", ']"', "\\", "é", None, [], {}))
        if kind < 3:
            return [self.value(depth + 1) for _ in range(random.randrange(6))]
        return {random.choice(("a", "b{", "c]")): self.value(depth + 1) for _ in range(random.randrange(5))}

    def test_each_object_has_the_whole_limit(self):
        objects = Objects(7)
        for _ in range(3):
            self.assertEqual(objects.feed(b'{"a":1}\n'), b'{"a":1}')

    def test_depth_has_no_limit_but_the_size(self):
        depth = 100_000
        document = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        self.assertEqual(feed(Objects(len(document)), document[:depth], document[depth:]), [None, document])


if __name__ == "__main__":
    unittest.main()
