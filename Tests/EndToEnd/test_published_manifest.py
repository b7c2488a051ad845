"""The ADK's model manifests: files of the repository, frozen by the official client, and every check of theirs."""
import hashlib
import json
import os
import unittest.mock

from host import import_algorithmia
from repositories import NO_PACKAGES, PublishedCase

MANIFEST, FREEZE = "model_manifest.json", "model_manifest.json.freeze"
WORDS = "models/words.txt"


def edit(path, change):
    """A change that decodes a JSON file, alters it, and writes it back."""
    def run(folder):
        with open(os.path.join(folder, path)) as file:
            document = json.load(file)
        change(document)
        with open(os.path.join(folder, path), "w") as file:
            json.dump(document, file)
    return run


class Local:
    """What the official client gives for file://, with the parameter that `freeze` passes and it does not know."""

    def __init__(self, path):
        self.path = path

    def getFile(self, as_path):
        return self.path


def freeze(folder):
    """`algo freeze`: the client's own code, on the files of the folder."""
    client = import_algorithmia().client("no key", "http://nowhere.invalid")
    local = lambda uri: Local(os.path.join(folder, uri.removeprefix("file://")))
    with unittest.mock.patch.object(client, "file", local):
        client.freeze(os.path.join(folder, MANIFEST), folder)


def duplicate(document):
    document["required_files"][1]["name"] = "words"


def tamper(document):
    document["required_files"][0]["source_uri"] = "file://models/numbers.txt"


def careless(document):
    for file in document["required_files"]:
        file["fail_on_tamper"] = False


def hosted(document):
    document["required_files"][0]["source_uri"] = "data://demo/models/words.txt"


class Manifests(PublishedCase):
    repositories = {
        "frozen": ("manifest", {"freeze": freeze}),
        "unfrozen": ("manifest", {"edit": edit(MANIFEST, careless)}),
        "changed": ("manifest", {"freeze": freeze, WORDS: "four five\n"}),
        "tampered": ("manifest", {"freeze": freeze, "edit": edit(FREEZE, tamper)}),
        "duplicate": ("manifest", {"edit": edit(MANIFEST, duplicate), "freeze": freeze}),
        "hosted": ("manifest", {**NO_PACKAGES, "edit": edit(MANIFEST, hosted)}),
        "hosted_frozen": ("manifest", {**NO_PACKAGES, "freeze": freeze, "edit": edit(FREEZE, hosted)}),
    }

    def assert_load_fails(self, name, start, *words):
        for expected in ("cold", start):
            reply = self.call(name, "words")
            self.assert_error(reply, "LoadingError", *words)
            self.assertEqual((reply.start, reply.charge), (expected, 0))
        return reply.error["message"]

    def test_load_gets_the_files_that_the_manifest_names(self):
        for name in ("frozen", "unfrozen"):
            with self.subTest(name):
                self.assert_result(self.call(name, "words"), ["one", "two", "three"])
                self.assert_result(self.call(name, "numbers"), ["1", "2", "3"])

    def test_an_optional_file_is_there_when_apply_asks(self):
        for name in ("frozen", "unfrozen"):
            self.assert_result(self.call(name, "spare"), WORDS)

    def test_a_name_that_is_not_in_the_manifest_is_told_and_the_worker_goes_on(self):
        for name in ("frozen", "unfrozen"):
            with self.subTest(name):
                self.call(name, "words")
                reply = self.call(name, "nothing")
                self.assert_error(reply, "AlgorithmError")
                self.assertEqual(reply.error["message"], "model name nothing not found in manifest")
                self.assertEqual(self.call(name, "words").start, "warm")

    def test_a_file_that_is_not_the_frozen_one_is_told_with_both_sums(self):
        was, now = (hashlib.md5(text).hexdigest() for text in (b"one two three\n", b"four five\n"))
        message = self.assert_load_fails("changed", "warm")
        self.assertEqual(message, f"Model File Mismatch for words\nexpected hash:  {was}\nreal hash: {now}")

    def test_a_freeze_file_that_was_edited_is_told(self):
        self.assert_load_fails("tampered", "cold", "Manifest FreezeFile Tamper Detected; please use the CLI and "
                                                   "'algo freeze' to rebuild your algorithm's freeze file.")

    def test_a_name_given_twice_is_told(self):
        message = self.assert_load_fails("duplicate", "warm")
        self.assertEqual(message, "Duplicate 'name' detected. \n"
                                  "words was found to be used by more than one data file, please rename.")

    def test_hosted_data_is_said_not_to_be_offered_yet_and_what_to_do(self):
        for name, path in (("hosted", MANIFEST), ("hosted_frozen", FREEZE)):
            with self.subTest(name):
                self.assert_load_fails(name, "cold", path, "words comes from data://demo/models/words.txt",
                                       "does not offer hosted data yet", "file://")
