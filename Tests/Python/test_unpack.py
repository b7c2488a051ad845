"""The unpack program over pipes: what passes, what each rule refuses, and that nothing of the author's runs."""
import gzip
import importlib.util
import io
import os
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NONCE, Box, frames, tar_gz

import archive
import pyc

ENTRY = ("algo.py", "def apply(x): return x\n")
LOCK = "lock/interpreter"


def info(name, kind=tarfile.REGTYPE, **fields):
    member = tarfile.TarInfo(name)
    member.type = kind
    for key, value in fields.items():
        setattr(member, key, value)
    return member


class UnpackCase(unittest.TestCase):
    def unpack(self, data, name="algo"):
        with Box("unpack.py") as box:
            box.send(frames.INIT, name.encode(), nonce=1)
            box.send(frames.ARCHIVE, data)
            files, last = box.files()
            self.assertIsNotNone(last, box.text())
            self.assertEqual((last.nonce, box.status()), (NONCE, 0))
            return files, last

    def accept(self, data, name="algo"):
        files, last = self.unpack(data, name)
        self.assertEqual(last.kind, frames.DONE, last.error if last.kind == frames.ERROR else last)
        return files

    def refuse(self, data, *parts, name="algo"):
        files, last = self.unpack(data, name)
        self.assertEqual((last.kind, files), (frames.ERROR, {}), last)
        error_type, message, trace = last.error
        self.assertEqual((error_type, trace), ("ArchiveError", ""))
        for part in parts:
            self.assertIn(part, message)

    def refuse_member(self, member, *parts, content=b"x"):
        self.refuse(tar_gz([ENTRY, (member, content)]), *parts)

    def apply(self, source, *parts):
        data = tar_gz([("algo.py", source)])
        return self.refuse(data, "algo.py", *parts) if parts else self.accept(data)


class Passing(UnpackCase):
    def test_files_folders_bytecode_and_the_executable_bit(self):
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
            files = self.accept(tar_gz([(".", None), ("./algo.py", ENTRY[1]), ("./d", None), ("./d/é.txt", "é"),
                                        (info("./run.sh", mode=0o755), "x"), ("./empty", b"")], form))
            compiled = f"code/__pycache__/algo.{sys.implementation.cache_tag}.pyc"
            self.assertEqual(set(files), {"code/algo.py", compiled, "code/d/é.txt", "code/run.sh", "code/empty", LOCK})
            self.assertEqual([path for path, (_, executable) in files.items() if executable], ["code/run.sh"])
            self.assertEqual(files[compiled][0][:8], importlib.util.MAGIC_NUMBER + b"\1\0\0\0")

    def test_the_lock_says_what_it_was_built_for(self):
        content, executable = self.accept(tar_gz([ENTRY, ("lock/interpreter", "the author's own")]))[LOCK]
        self.assertRegex(content.decode(), r"^cpython-3\d+ 3\.\d+\.\w+ linux-\w+ glibc-2\.\d+\n$")
        self.assertEqual(content.decode().split(" ")[:2], [sys.implementation.cache_tag, sys.version.split()[0]])
        self.assertFalse(executable)

    def test_bytecode_is_used_whatever_the_sources_time(self):
        files = self.accept(tar_gz([ENTRY]))
        with tempfile.TemporaryDirectory() as root:
            for path, (content, _) in files.items():
                os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
                with open(f"{root}/{path}", "wb") as file:
                    file.write(content)
            with open(f"{root}/code/algo.py", "w") as file:
                file.write("def apply(x): return 'from the source'\n")  # An unchecked pyc wins over it.
            with Box("worker.py", "--root", root) as worker:
                worker.send(frames.INIT, b"algo")
                self.assertEqual(worker.receive().kind, frames.READY)
                self.assertEqual(worker.call("from bytecode").payload, b"from bytecode")

    def test_what_nobody_needs_is_left_out(self):
        skipped = [".git/HEAD", "a/.git/x", "__pycache__/algo.cpython-39.pyc", "b/__pycache__/c", "old.pyc", "._algo.py"]
        link = info(".git/link", tarfile.SYMTYPE, linkname="/etc/passwd")
        files = self.accept(tar_gz([ENTRY] + [(name, "x" * 2000) for name in skipped] + [(link, None)]))
        self.assertEqual(set(files), {LOCK, "code/algo.py", f"code/__pycache__/algo.{sys.implementation.cache_tag}.pyc"})

    def test_large_files_come_in_pieces_and_whole(self):
        content = os.urandom(3 << 20) + b"x"
        self.assertEqual(self.accept(tar_gz([ENTRY, ("model.bin", content)]))["code/model.bin"][0], content)

    def test_a_broken_helper_is_sent_without_bytecode(self):
        files = self.accept(tar_gz([ENTRY, ("old.py", "print 'two'"), ("huge.py", b"#" * (pyc.SOURCE_BYTES_MAX + 1))]))
        self.assertEqual(len([path for path in files if path.endswith(".py")]), 3)
        self.assertEqual(len([path for path in files if path.endswith(".pyc")]), 1)

    def test_names_that_differ_in_case_are_two_files(self):
        files = self.accept(tar_gz([ENTRY, ("A", "1"), ("a", "2")]))
        self.assertEqual((files["code/A"][0], files["code/a"][0]), (b"1", b"2"))

    def test_zero_padding_behind_the_gzip_file_passes(self):
        self.accept(tar_gz([ENTRY]) + bytes(5000))

    def test_nothing_of_the_author_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = f"open({folder + '/ran'!r}, 'w')\n"
            self.accept(tar_gz([("algo.py", mark + ENTRY[1]), ("sitecustomize.py", mark), ("tarfile.py", mark)]))
            self.assertEqual(os.listdir(folder), [])


class Rules(UnpackCase):
    def test_paths(self):
        for name, rule in (("/etc/x", "absolute"), ("../x", "'..'"), ("a/../../x", "'..'"), ("a/..", "'..'"), ("a//b", "empty"),
                           ("a/./b", "'.'"), ("a\\b", "backslashes"), ("a\nb", "control"), ("a\x1b[2Jb", "control"),
                           ("a\x7f", "control"), ("a\u0085", "control"), (".git/../x", "'..'"), ("a\u2028", "control")):
            self.refuse_member(name, ascii(name)[1:-1].replace("\\\\", "\\") if "\\" not in name else "a", rule)

    def test_names_must_be_utf8(self):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
            tar.addfile(info("é"))
        self.refuse(gzip.compress(raw.getvalue()), "UTF-8")

    def test_kinds(self):
        for kind, rule in ((tarfile.SYMTYPE, "symbolic links"), (tarfile.LNKTYPE, "hard links"), (tarfile.CHRTYPE, "character"),
                           (tarfile.BLKTYPE, "block"), (tarfile.FIFOTYPE, "fifos"), (tarfile.CONTTYPE, "contiguous"),
                           (tarfile.GNUTYPE_SPARSE, "sparse"), (b"V", "type 'V'")):
            self.refuse_member(info("bad", kind, linkname="algo.py"), "bad", rule, content=None)
        link = info("bad", tarfile.SYMTYPE, linkname="x" * 200)
        self.refuse(tar_gz([ENTRY, (link, None)], tarfile.GNU_FORMAT), "links")
        sparse = info("bad", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.name": "x"})
        self.refuse_member(sparse, "bad", "sparse")

    def test_a_symbolic_link_and_a_file_through_it(self):
        self.refuse(tar_gz([ENTRY, (info("d", tarfile.SYMTYPE, linkname="/"), None), ("d/etc", "x")]), "d: symbolic links")

    def test_names_once_and_as_one_thing(self):
        self.refuse(tar_gz([ENTRY, ("a", "1"), ("./a", "2")]), "a: this name is in the archive twice")
        self.refuse(tar_gz([ENTRY, ("a", "1"), ("a/b", "2")]), "a/b", "a is a file and a folder at once")

    def test_component_path_and_depth_limits(self):
        for size, ok in ((254, True), (255, True), (256, False)):
            data = tar_gz([ENTRY, ("é" * (size // 2) + "x" * (size % 2), "x")])
            self.accept(data) if ok else self.refuse(data, "component", "256 bytes, limit 255")
        for size, ok in ((1023, True), (1024, True), (1025, False)):
            data = tar_gz([ENTRY, (("y" * 200 + "/") * 5 + "x" * (size - 1005), "x")])
            self.accept(data) if ok else self.refuse(data, "1025 bytes, limit 1024")
        for depth, ok in ((31, True), (32, True), (33, False)):
            data = tar_gz([ENTRY, ("a/" * (depth - 1) + "f", "x")])
            self.accept(data) if ok else self.refuse(data, "33 levels deep, limit 32")

    def test_file_count_limit(self):
        for count, ok in ((9_999, True), (10_000, True), (10_001, False)):
            data = tar_gz([ENTRY] + [(f"f{n}", b"") for n in range(count - 1)])
            if ok:
                self.assertEqual(len(self.accept(data)), count + 2)  # with bytecode and lock
            else:
                self.refuse(data, "f9999", "more than 10000 files")

    def test_total_limit(self):
        part = bytes(archive.FILE_BYTES_MAX // 4)
        entry_bytes = len(ENTRY[1])
        for surplus, ok in ((-1, True), (0, True), (1, False)):
            last = bytes(len(part) - entry_bytes + surplus)
            members = list(archive_members([ENTRY] + [(f"z{n}", part) for n in range(3)] + [("last", last)], ok))
            self.assertEqual(members[-1], "last" if ok else f"last: the archive's files have more than {512 << 20} bytes in all")

    def test_padding_behind_the_end_has_a_limit(self):
        whole = gzip.decompress(tar_gz([ENTRY]))
        content = whole[: 1024 * (len(whole.rstrip(b"\0")) // 1024 + 1)]
        for surplus, ok in ((-1, True), (0, True), (1, False)):
            padded = content + bytes(512 + archive.PADDING_BYTES_MAX + surplus)
            members = list(archive.read_members(gzip.compress(padded, 1))) if ok else None
            if ok:
                self.assertEqual([member.path for member in members], [ENTRY[0]])
            else:
                self.refuse(gzip.compress(padded, 1), "bytes of padding")

    def test_extended_headers_count_as_members(self):
        header = info("././@PaxHeader", tarfile.XGLTYPE).tobuf()
        whole = gzip.decompress(tar_gz([ENTRY]))
        for count, ok in ((archive.MEMBERS_MAX - 2, True), (archive.MEMBERS_MAX - 1, True), (archive.MEMBERS_MAX, False)):
            data = gzip.compress(header * count + whole, 1)
            if ok:
                self.accept(data)
            else:
                self.refuse(data, f"more than {archive.MEMBERS_MAX} members")

    def test_bombs_stop_at_the_limit(self):
        with self.subTest("one file that announces little and a stream that never ends"):
            data = gzip.compress(bytes(1 << 20), 9)
            raw = io.BytesIO()
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9) as file:
                for _ in range(600):
                    file.write(bytes(1 << 20))
            self.assertLess(len(raw.getvalue()), 1 << 20)
            self.refuse(raw.getvalue(), "bytes of padding behind its end mark")
            self.refuse(data + data, "after its gzip file")
        huge = info("huge")
        huge.size = 1 << 34
        raw = huge.tobuf(tarfile.USTAR_FORMAT) if huge.size < 8 << 30 else huge.tobuf(tarfile.PAX_FORMAT)
        self.refuse(gzip.compress(raw), "huge", f"more than {512 << 20} bytes")
        header = info("././@PaxHeader", tarfile.XHDTYPE)
        header.size = 1 << 30
        self.refuse(gzip.compress(header.tobuf()), "extended header has 1073741824 bytes")

    def test_damaged_archives(self):
        data = tar_gz([ENTRY, ("b", os.urandom(5000))])
        for cut in (0, 1, 10, len(data) // 2, len(data) - 8, len(data) - 1):
            self.refuse(data[:cut], "")
        self.refuse(b"PK\3\4" + bytes(100), "not a gzip file")
        self.refuse(gzip.compress(b"x" * 2000), "not a tar header")
        self.refuse(gzip.compress(b""), "truncated")
        flipped = bytearray(data)
        flipped[-6] ^= 1
        self.refuse(bytes(flipped), "not a sound gzip file")
        self.refuse(gzip.compress(gzip.decompress(data) + b"more"), "after its end mark")
        self.refuse(data + b"more", "after its gzip file")
        tar = bytearray(gzip.decompress(data))
        tar[130] = ord("9")
        self.refuse(gzip.compress(bytes(tar)), "checksum")

    def test_random_damage_never_crashes(self):
        import random
        seed = int(os.environ.get("FAASD_TEST_SEED", "20261123"))
        rng = random.Random(seed)
        tar = gzip.decompress(tar_gz([ENTRY, ("d/" + "n" * 150, "x" * 700), ("é" * 60, "y")]))
        for turn in range(2_000):
            broken = bytearray(tar)
            for _ in range(rng.randint(1, 4)):
                broken[rng.randrange(len(broken) - 8192)] = rng.randrange(256)
            try:
                for member in archive.read_members(gzip.compress(bytes(broken), 1)):
                    sum(map(len, member.chunks()))
            except archive.ArchiveError:
                pass
            except Exception as error:
                self.fail(f"seed {seed}, turn {turn}: {error!r}")


def archive_members(members, ok):
    """Paths of a large archive read in this process (a pipe would take a minute); ends with the message if refused."""
    try:
        for member in archive.read_members(tar_gz(members)):
            yield member.path
    except archive.ArchiveError as error:
        assert not ok, error
        yield str(error)


class Entries(UnpackCase):
    def test_apply_in_its_many_forms(self):
        for source in ("def apply(x): pass", "def apply(x, state): pass", "def apply(x, y=1, z=2): pass", "def apply(*a): pass",
                       "from os import getcwd as apply", "from os.path import *", "apply = len", "apply: object = len",
                       "a, apply = 1, len", "try:\n  import x\nexcept ImportError:\n  def apply(x): pass",
                       "if 1:\n  def apply(x): pass", "class apply: pass", "def apply(x=1, /): pass", "apply = other = len",
                       "@decorated\ndef apply(a, b, c): pass", "def apply(a, b, c): pass\ndef apply(a): pass",
                       "def apply(x, *, key=1): pass", "# -*- coding: latin-1 -*-\ndef apply(x): return '\xe9'"):
            with self.subTest(source):
                self.apply(source.encode("latin-1"))

    def test_what_is_refused(self):
        for source, *parts in (
            ("x = 1\ndef apply(:\n", "line 2", "def apply(:"), ("def other(x): pass", "no function apply"),
            ("def apply(): pass", "line 1", "0 positional"), ("def apply(a, b, c): pass", "3 positional"),
            ("async def apply(x): pass", "async"), ("def apply(x, *, key): pass", "keyword argument key"),
            ("class A:\n  def apply(self): pass", "no function apply"), ("def f():\n  apply = 1", "no function apply"),
            ("\0", "algo.py"), ("", "no function apply"), ("(" * 300 + ")" * 300, "algo.py"), ("apply: int", "no function"),
            ("-" * 200_000 + "1", "algo.py"),
        ):
            with self.subTest(source[:40]):
                self.apply(source, *parts)

    def test_entry_size_limit(self):
        for size, ok in ((-1, True), (0, True), (1, False)):
            source = ENTRY[1] + "#" * (pyc.SOURCE_BYTES_MAX + size - len(ENTRY[1]))
            self.apply(source) if ok else self.apply(source, "limit 1048576")

    def test_no_entry(self):
        self.refuse(tar_gz([("a.py", "x=1"), ("b.py", "x=1")]), "expected algo.py, main.py", "a.py, b.py")
        self.refuse(tar_gz([("README", "x")]), "no .py file")
        self.refuse(tar_gz([("algo/algo.py", ENTRY[1])]), "all files lie in algo/")
        self.refuse(tar_gz([]), "no entry")
        self.accept(tar_gz([("main.py", ENTRY[1]), ("b.py", "x=1")]))
        self.accept(tar_gz([("ALGO.py", ENTRY[1]), ("main.py", "x=1")]))

    def test_frames_out_of_order(self):
        for kinds in ((frames.ARCHIVE,), (frames.INIT, frames.INIT), (frames.CALL,)):
            with Box("unpack.py") as box:
                for kind in kinds:
                    box.send(kind)
                self.assertEqual(box.status(), 76)
        with Box("unpack.py") as box:
            box.close_requests()
            self.assertEqual(box.status(), 0)


if __name__ == "__main__":
    unittest.main()
