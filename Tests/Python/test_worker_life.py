"""The worker over pipes: end of service, protocol faults, forked children, orphans, output, forged frames."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NONCE, frames
from test_worker import WorkerCase


class Life(WorkerCase):
    def test_nonces_come_back_and_globals_stay(self):
        box = self.serve(fixture="counter")
        for count, nonce in enumerate((0, 1, 2**64 - 1), 1):
            frame = box.call("", nonce=nonce)
            self.assertEqual((frame.nonce, frame.payload), (nonce, str(count).encode()))

    def test_end_of_requests_ends_the_worker(self):
        source = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\ndef apply(x): return x"
        for partial in (b"", b"\x5d\xfa", frames.HEADER.pack(frames.MAGIC, 2, 0, 9, 1) + b"four"):
            box = self.serve(source)
            box.send_raw(partial)
            box.close_requests()
            self.assertEqual(box.status(5), 0)
            self.assertIsNone(box.receive())

    def test_a_closed_reply_pipe_ends_the_worker(self):
        box = self.serve(fixture="echo")
        spare = os.open(os.devnull, os.O_RDONLY)
        os.dup2(spare, box.replies, inheritable=False)
        os.close(spare)
        box.send(frames.CALL, b"x")
        self.assertEqual(box.status(5), 0)

    def test_frames_that_break_the_protocol(self):
        for data in (b"\0" * 16, frames.HEADER.pack(frames.MAGIC, 9, 0, 0, 1), frames.HEADER.pack(frames.MAGIC, 1, 0, 0, 1),
                     frames.HEADER.pack(frames.MAGIC, 2, 3, 0, 1)):
            box = self.serve(fixture="echo")
            box.send_raw(data)
            self.assertEqual(box.status(5), 76, data)

    def test_a_forked_child_that_comes_back_cannot_answer(self):
        source = "import os\ndef apply(x):\n  pid = os.fork()\n  {}\n  return x if pid else 'child'"
        for wait in ("pid and os.waitpid(pid, 0)", "pass", "pid and os.waitpid(pid, 0) or not pid and 1 / 0"):
            box = self.serve(source.format(wait))
            for text in (b"one", b"two"):
                self.assert_result(box.call(text), 0, text)
            box.close_requests()
            self.assertIsNone(box.receive())

    def test_children_do_not_inherit_the_pipes(self):
        source = ("import os, subprocess\ndef apply(_):\n"
                  "  child = subprocess.run(['/bin/ls', '-l', '/proc/self/fd'], close_fds=False, capture_output=True)\n"
                  "  return [child.stdout.decode(), os.readlink('/proc/self/fd/3'), os.readlink('/proc/self/fd/4')]")
        listing, request, reply = json.loads(self.serve(source).call("x").payload)
        self.assertTrue(request.startswith("pipe:") and reply.startswith("pipe:"))
        self.assertNotIn(request, listing)
        self.assertNotIn(reply, listing)

    def test_dead_orphans_are_collected_and_owned_children_are_not(self):
        source = ("import ctypes, os, subprocess, time\nctypes.CDLL(None).prctl(36, 1)\nheld = []\n"
                  "def zombies():\n  n = 0\n  for p in os.listdir('/proc'):\n    try: s = open(f'/proc/{p}/stat').read()\n"
                  "    except OSError: continue\n    f = s.rpartition(')')[2].split()\n"
                  "    n += f[0] == 'Z' and int(f[1]) == os.getpid()\n  return n\n"
                  "def apply(x):\n  if x == 'start':\n    held.append(subprocess.Popen(['/bin/sh', '-c', 'exit 9']))\n"
                  "    subprocess.run(['/bin/sh', '-c', 'sleep 0.1 & exit 0']); time.sleep(0.4); return zombies()\n"
                  "  return [zombies(), held[0].wait()] if x == 'end' else zombies()")
        box = self.serve(source)
        self.assert_result(box.call("start"), 1, b"2")
        self.assert_result(box.call("look"), 1, b"1")
        self.assert_result(box.call("end"), 1, b"[1,9]")
        self.assert_result(box.call("look"), 1, b"0")

    def test_what_is_printed_is_out_before_the_answer(self):
        box = self.serve("import sys, io\nsys.stdout = io.TextIOWrapper(io.FileIO(1, 'w', closefd=False))\n"
                         "def apply(_): print('shown'); return 1")
        box.call("x")
        self.assertEqual(box.text(), "shown\n")
        for spoiled in ("sys.stdout = None", "sys.stdout.close()"):
            self.assert_result(self.serve(f"import sys\ndef apply(_): {spoiled}; return 1").call("x"), 1, b"1")
        box = self.serve(fixture="prints")
        self.assert_result(box.call("x"), 0, b"printed")
        self.assertEqual(len(box.text()), 4 << 20)

    def test_a_non_blocking_reply_pipe_is_written_whole(self):
        box = self.serve("import os\ndef apply(_): os.set_blocking(4, False); return b'x' * 9_000_000")
        self.assertEqual(len(box.call("x").payload), 9_000_000)

    def test_forged_frames_come_as_they_are(self):
        box = self.serve(fixture="forges")
        for mode, nonce, payload in (("guess", 0, b'"forged"'), ("found", NONCE, b'1},"metadata":{'),
                                     ("twice", NONCE, b'"forged"')):
            frame = box.call(mode)
            self.assertEqual((frame.kind, frame.nonce, frame.payload), (frames.RESULT, nonce, payload))
            self.assert_result(box.receive(), 0, b"honest")

    def test_background_threads_do_not_hold_the_answer(self):
        self.assert_result(self.serve(fixture="background").call("x"), 0, b"started")

    def test_fixtures_that_tell_about_the_box(self):
        told = json.loads(self.serve(fixture="whoami").call("x").payload)
        self.assertEqual(told["uid"], os.getuid())
        self.assertIn("CapEff", told["status"])
        self.assertIn("usr", told["root"])
        box = self.serve(fixture="syscalls")
        self.assertEqual(json.loads(box.call('{"call": 39}', 1).payload), {"returned": True})
        self.assertEqual(json.loads(box.call('{"call": "splice"}', 1).payload)["name"], "EBADF")


if __name__ == "__main__":
    unittest.main()
