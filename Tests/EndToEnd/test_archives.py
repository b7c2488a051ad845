"""Uploads that are refused: each names what is wrong, and nothing of it stays."""
import os
import sqlite3
import tarfile

from archives import APPLY, archive, bomb, member, pack, with_member
from harness import DaemonCase

DEVICES = {"character device": tarfile.CHRTYPE, "block device": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}


class Archives(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.management = cls.daemon.key("author", "management")["key"]
        cls.count = 0

    def upload(self, payload, name=None, query="?public=true"):
        type(self).count += 1
        self.name = name or f"author/upload{self.count}"
        return self.daemon.post_archive(self.name, payload, query, self.management)

    def assert_refused(self, payload, *words, status=422):
        """Refused with all the words, nothing left in the store, and not to be called."""
        before = sorted(os.listdir(self.daemon.state + "/store"))
        reply = self.upload(payload)
        self.assertEqual(reply.status, status, reply)
        for word in words:
            self.assertIn(word, reply.error["message"], reply)
        self.assertTrue(reply.error["error_type"])
        self.assertEqual(sorted(os.listdir(self.daemon.state + "/store")), before)
        self.assertIn("not found", self.daemon.call(self.name, "x", self.caller).error["message"])
        self.assertEqual(self.daemon.manage("GET", f"/v1/manage/algorithms/{self.name}").status, 404)
        return reply

    def test_an_honest_archive_is_taken_and_answers_201(self):
        reply = self.upload(archive({"main.py": APPLY, "data/a b.txt": b"1", "././x.txt": b"2"}))
        self.assertEqual(reply.status, 201, reply)
        self.assertEqual(set(reply.json), {"name", "version", "hash", "runtime", "environment"})
        self.assertRegex(reply.json["hash"], "^[0-9a-f]{40}$")
        self.assert_result(self.daemon.call(self.name + "/" + reply.json["hash"], "x", self.caller), "x")

    def test_names_that_lead_out_are_refused(self):
        for name, rule in (("../evil.py", "'..'"), ("a/../../evil.py", "'..'"), ("a/..", "'..'"), ("/etc/evil.py", "absolute"),
                           ("//evil.py", "absolute"), ("a//b.py", "empty"), ("a/./b.py", "'.'"), ("..\\evil.py", "ackslash")):
            with self.subTest(name):
                self.assert_refused(with_member(*member(name, b"x")), rule, name.replace("\\", "\\\\"))

    def test_names_outside_the_grammar_are_refused(self):
        long = "x" * 256
        for name, rule in (("a\nb.py", "ontrol"), ("a\x1b[2Jb", "ontrol"), (long, "255"), ("/".join("ab" * 20), "32"),
                           ("x/" * 520 + "y", ""), ("a\u2028b", "ontrol")):
            with self.subTest(name[:20]):
                self.assert_refused(with_member(*member(name, b"x")), rule)

    def test_links_are_refused_whatever_they_point_to(self):
        for kind, word in ((tarfile.SYMTYPE, "symbolic link"), (tarfile.LNKTYPE, "hard link")):
            for target in ("/etc/passwd", "../../..", "main.py", ""):
                with self.subTest(f"{word} to {target!r}"):
                    self.assert_refused(with_member(*member("alias.py", kind=kind, link=target)), "alias.py", word)

    def test_devices_and_fifos_are_refused(self):
        for word, kind in DEVICES.items():
            with self.subTest(word):
                self.assert_refused(with_member(*member("special", kind=kind)), "special", word)

    def test_a_name_given_twice_is_refused(self):
        self.assert_refused(with_member(*member("./main.py", b"x")), "main.py", "twice")

    def test_a_name_that_is_a_file_and_a_folder_is_refused(self):
        self.assert_refused(with_member(*member("main.py/x.py", b"x")), "main.py", "file and a folder")

    def test_what_is_no_archive_is_refused(self):
        whole = archive({"main.py": APPLY * 1000, "random": os.urandom(5000)})
        plain = pack([member("main.py", APPLY)], compress=False)
        for what, payload, word in (("nothing", b"", "gzip"), ("text", b"def apply(x): pass", "gzip"), ("tar", plain, "gzip"),
                                    ("half", whole[: len(whole) // 2], "truncated"), ("no trailer", whole[:-8], "truncated"),
                                    ("flipped", whole[:-6] + b"\0\0" + whole[-4:], "gzip"),
                                    ("two", whole + whole, "after"), ("zip", b"PK\3\4" + bytes(100), "gzip")):
            with self.subTest(what):
                self.assert_refused(payload, word)

    def test_a_bomb_is_refused_at_the_size_it_may_inflate_to(self):
        payload = bomb(700 << 20)
        self.assertLess(len(payload), 1 << 20)
        self.assert_refused(payload, "536870912")
        self.assert_answers_at_once()

    def test_more_than_10_000_files_are_refused(self):
        files = {f"f{number}": b"" for number in range(10_000)}
        self.assert_refused(archive({"main.py": APPLY, **files}), "10000 files")

    def test_an_archive_without_an_entry_is_refused_naming_the_rule(self):
        reply = self.assert_refused(archive({"a.py": APPLY, "b.py": APPLY}), "main.py", "a.py, b.py")
        self.assertIn(self.name.partition("/")[2] + ".py", reply.error["message"])
        self.assert_refused(archive({"README.md": b"hello"}), "no .py file")
        self.assert_refused(archive({}), "no .py file")

    def test_an_entry_without_apply_is_refused(self):
        self.assert_refused(archive({"main.py": b"def handler(x):\n    return x\n"}), "main.py", "apply")
        self.assert_refused(archive({"main.py": b"async def apply(x):\n    return x\n"}), "async")
        self.assert_refused(archive({"main.py": b"def apply():\n    return 1\n"}), "line 1")

    def test_a_syntax_error_is_refused_with_file_and_line(self):
        self.assert_refused(archive({"main.py": b"x = 1\n\ndef apply(x)\n    return x\n"}), "main.py", "line 3")
        self.assert_refused(archive({"main.py": b"def apply(x):\n    return '\xff'\n"}), "main.py")
        self.assert_refused(archive({"main.py": b"("* 5000}), "main.py")

    def test_requirements_that_are_not_names_are_refused_with_their_line(self):
        for line, word in (("https://example.invalid/x.whl", "URLs"), ("six @ https://example.invalid/x.whl", "URLs"),
                           ("--index-url=https://example.invalid", "options"), ("-r other.txt", "options"), ("-e .", "options"),
                           ("./local", "paths"), ("../local.whl", "paths"), ("git+ssh://example.invalid/x", "URLs"),
                           ("six --global-option=x", "options"), ("$HOME", "variables"), ("x.whl", "files"),
                           ("six==1.0; import os", "marker"), ("six==1.0 six", "form")):
            with self.subTest(line):
                text = f"# a comment\n\n{line}\n".encode()
                self.assert_refused(archive({"main.py": APPLY, "requirements.txt": text}), "requirements.txt, line 3", word)

    def test_a_version_of_a_package_that_does_not_exist_is_told_in_pips_words(self):
        payload = archive({"main.py": APPLY, "requirements.txt": b"pillow==0.0.999\n"})
        self.assert_refused(payload, "pillow==0.0.999")

    def test_a_requirements_file_of_comments_needs_no_installation(self):
        self.assertEqual(self.upload(archive({"main.py": APPLY, "requirements.txt": b"# nothing\n\n"})).status, 201)

    def test_a_failed_version_leaves_the_one_before_in_place(self):
        name = "author/kept"
        self.assertEqual(self.upload(archive({"main.py": APPLY}), name).status, 201)
        self.assertEqual(self.upload(archive({"main.py": b"("}), name).status, 422)
        self.assert_result(self.daemon.call(name, "x", self.caller), "x")
        versions = self.daemon.must("algo", "show", name)["versions"]
        self.assertEqual([version["version"] for version in versions], ["0.1.0"])

    def test_limits_outside_their_range_are_400_naming_field_value_and_limit(self):
        payload = archive({"main.py": APPLY})
        for field, value in (("memory", "15"), ("memory", "16385"), ("memory", "-1"), ("memory", "9" * 19), ("cpus", "0"),
                             ("cpus", "17"), ("timeout", "0"), ("timeout", "3001"), ("royalty", "-1"), ("royalty", "x"),
                             ("isolation", "none"), ("start", "spawn"), ("colour", "red")):
            with self.subTest(f"{field}={value}"):
                reply = self.upload(payload, query=f"?{field}={value}")
                self.assertEqual((reply.status, reply.error["field"]), (400, field), reply)
                self.assertIn(value, reply.error["message"])

    def test_a_start_that_there_is_not_or_that_the_isolation_excludes_is_400(self):
        payload = archive({"main.py": APPLY})
        for query, value, wanted in (("?start=spawn", "spawn", "fork, exec or template"), ("?start=", "", "fork, exec or template"),
                                     ("?start=template&isolation=call", "template", "fork or exec with isolation call")):
            with self.subTest(query):
                reply = self.upload(payload, query=query)
                self.assertEqual((reply.status, reply.error["field"]), (400, "start"), reply)
                self.assertIn(f"'{value}'", reply.error["message"])
                self.assertIn(wanted, reply.error["message"])

    def test_limits_at_the_ends_of_their_range_are_taken(self):
        for query in ("?memory=16384&cpus=16&timeout=3000", "?cpus=1&timeout=1&royalty=0"):
            self.assertEqual(self.upload(archive({"main.py": APPLY}), query=query).status, 201)

    def test_names_of_algorithms_outside_the_grammar_are_refused(self):
        for name in ("author/a-b", "author/" + "x" * 65, "author/a%20b", "author/%2e%2e"):
            with self.subTest(name):
                reply = self.daemon.post_archive(name, archive({"main.py": APPLY}), key=self.management)
                self.assertIn(reply.status, (400, 404), reply)

    def test_nothing_of_all_this_remains(self):
        self.assert_refused(b"nothing")
        known = {row[0] for row in self.catalog("SELECT store_key FROM versions")}
        self.assertLessEqual(set(os.listdir(self.daemon.state + "/store")), known)
        self.assertEqual(os.listdir(self.daemon.state + "/roots"), [])

    def catalog(self, query):
        connection = sqlite3.connect(f"file:{self.daemon.state}/catalog.db?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
