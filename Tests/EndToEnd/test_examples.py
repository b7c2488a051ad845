"""Examples/ as they are shipped, each called with its own sample input."""
import os

from harness import EXAMPLES, DaemonCase

KINDS = {".txt": "text/plain", ".json": "application/json", ".png": "application/octet-stream"}


class Examples(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.names = sorted(os.listdir(EXAMPLES))
        for name in cls.names:
            cls.daemon.deploy(os.path.join(EXAMPLES, name), cls.author)

    def run_sample(self, name, query=""):
        folder = os.path.join(EXAMPLES, name)
        sample = next(file for file in os.listdir(folder) if file.startswith("input."))
        with open(os.path.join(folder, sample), "rb") as file:
            kind = KINDS[os.path.splitext(sample)[1]]
            return self.daemon.call(f"author/{name}", file.read(), self.caller, kind, query)

    def test_every_example_has_a_sample_input_that_it_accepts(self):
        self.assertLessEqual({"hello", "iris", "wordfreq"}, set(self.names))
        for name in self.names:
            with self.subTest(name):
                reply = self.run_sample(name)
                self.assertEqual(reply.status, 200, reply)
                self.assertIn("result", reply.json, reply)

    def test_hello_greets(self):
        self.assert_result(self.run_sample("hello"), "Hello Jane")

    def test_iris_makes_its_model_once_and_says_so(self):
        first, second = self.run_sample("iris"), self.run_sample("iris")
        self.assertEqual(second.start, "warm")
        self.assertEqual(first.result["instance"], second.result["instance"])
        self.assertEqual(first.result["species"], "setosa")
        self.assertNotEqual(self.daemon.call("author/iris", '{"features": [5.1, 3.5, 1.4, 0.2]}', self.author,
                                             "application/json").result["instance"], first.result["instance"])

    def test_wordfreq_counts_words(self):
        self.assertEqual(len(self.run_sample("wordfreq").result["top"]) > 0, True)

    def test_thumbnail_returns_a_picture_raw_and_as_base64(self):
        raw = self.run_sample("thumbnail", "?output=raw")
        self.assertEqual((raw.status, raw.headers["Content-Type"]), (200, "application/octet-stream"))
        self.assertTrue(raw.body.startswith(b"\x89PNG\r\n"), raw.body[:16])
        self.assertEqual(self.run_sample("thumbnail").metadata["content_type"], "binary")

    def test_an_example_declares_wrong_input_as_an_input_error(self):
        reply = self.daemon.call("author/iris", "{}", self.caller, "application/json")
        self.assert_error(reply, "InputError", "features")
        self.assertEqual(self.daemon.usage(reply.call_id)["outcome"], "input-error")
