"""Algorithms that mean harm: each is classified, charged to nobody but whom it should be, and leaves nothing behind."""
import json
import time

import boxes
from harness import DaemonCase
from host import wait_until

MIB = 1 << 20


class HostileCase(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.daemon.call(cls.echo, "warm", cls.caller)

    def provoke(self, fixture, body="", *options, user=None, query="", **more):
        """Calls a hostile algorithm, and checks what must hold whatever it does."""
        algorithm = self.daemon.deploy(fixture, self.author, "--royalty", 5000, *options)
        before = boxes.names(self.daemon.group)
        reply = self.daemon.call(algorithm, body, user or self.caller, query=query, **more)
        self.assert_answers_at_once()
        self.assertNotIn(b'1},"metadata":{', reply.body)
        self.record = self.daemon.usage(reply.call_id)
        self.assertEqual(self.record["amount_microcredits"], reply.charge)
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)
        self.daemon.audit()
        self.new_boxes = lambda: boxes.names(self.daemon.group) - before
        return reply

    def assert_ended(self, reply, outcome, error_type, *words, free=True):
        """The call failed in that way, and nothing of its box is left."""
        self.assert_error(reply, error_type, *words)
        self.assertEqual(self.record["outcome"], outcome, self.record)
        self.assertEqual(self.record["royalty_microcredits"], 0)
        if free:
            self.assertEqual(self.record["amount_microcredits"], 0, self.record)
        wait_until(lambda: not self.new_boxes(), 3, f"the box of {outcome} is gone, {self.new_boxes()}")
        living = set(boxes.processes(self.daemon.group).values())
        self.assertLessEqual(living, boxes.names(self.daemon.group))

    def assert_sleeps(self):
        """The worker was kept, and is frozen."""
        for box in self.new_boxes():
            self.assertTrue(boxes.is_frozen(self.daemon.group, box), box)


class Ends(HostileCase):
    """Ways to end a call other than to answer it."""

    def test_an_exit_is_told_with_its_code_and_free(self):
        self.assert_ended(self.provoke("exits", "3"), "exit", "SystemExit", "exited with code 3")

    def test_an_exit_with_code_0_is_no_answer(self):
        self.assert_ended(self.provoke("exits", "0"), "exit", "SystemExit", "exited with code 0")

    def test_an_exit_that_leaves_processes_in_sessions_of_their_own_takes_them_along(self):
        self.assert_ended(self.provoke("leaves_children", "4"), "exit", "SystemExit", "exited with code 4")

    def test_a_segfault_is_told_by_its_signal_and_free(self):
        self.assert_ended(self.provoke("segfault"), "signal", "SignalError", "signal 11", "SIGSEGV")

    def test_an_abort_is_told_by_the_signal_that_process_1_dies_of(self):
        self.assert_ended(self.provoke("ends_itself", "abort"), "signal", "SignalError", "SIGSEGV", "abort()")

    def test_an_exit_is_told_as_one_however_long_the_kernel_clears_up_behind_it(self):
        self.assert_ended(self.provoke("ends_itself", "names"), "exit", "SystemExit", "exited with code 3")

    def test_signals_that_the_first_process_sends_to_itself_do_nothing(self):
        for name in ("SIGTERM", "SIGKILL", "SIGABRT"):
            with self.subTest(name):
                self.assertEqual(self.provoke("ends_itself", name).json.get("result"), "still there")

    def test_an_exception_is_free(self):
        reply = self.provoke("raises")
        self.assert_error(reply, "AlgorithmError", "boom")
        self.assertEqual((self.record["outcome"], self.record["amount_microcredits"]), ("algorithm-error", 0))
        self.assert_sleeps()

    def test_code_that_cannot_be_loaded_is_told_and_free(self):
        reply = self.provoke("load_fails")
        self.assert_ended(reply, "load-failed", "LoadingError", "the model is not there")

    def test_code_that_never_ends_to_load_ends_with_the_timeout_of_the_call(self):
        began = time.monotonic()
        reply = self.provoke("never_reads", "x" * MIB, query="?timeout=1")
        self.assertLess(time.monotonic() - began, 4)
        self.assert_ended(reply, "timeout-caller", "TimeoutError", "1 second")

    def test_an_endless_loop_within_the_timeout_the_caller_chose_costs_the_time_and_no_royalty(self):
        reply = self.provoke("spins", query="?timeout=1")
        self.assert_ended(reply, "timeout-caller", "TimeoutError", "1 second", "caller", free=False)
        self.assertGreater(reply.charge, 500_000)
        self.assertLessEqual(reply.charge, 1_100_000)
        self.assertEqual(reply.charge % 1000, 0)

    def test_an_endless_loop_up_to_the_versions_own_timeout_is_free(self):
        reply = self.provoke("spins", "", "--timeout", 1)
        self.assert_ended(reply, "timeout-version", "TimeoutError", "1 second", "version")

    def test_a_timeout_above_the_versions_own_changes_nothing(self):
        reply = self.provoke("spins", "", "--timeout", 1, query="?timeout=3000")
        self.assert_ended(reply, "timeout-version", "TimeoutError", "1 second")


class Greed(HostileCase):
    """Memory, processes, disk and output without end."""

    def test_memory_without_end_meets_the_versions_limit_and_is_free(self):
        reply = self.provoke("eats_memory", "", "--memory", 64)
        self.assert_ended(reply, "memory-limit", "OutOfMemoryError", 64 * MIB)

    def test_a_result_of_2_gb_meets_the_memory_limit_and_is_free(self):
        reply = self.provoke("returns_2gb", "", "--memory", 128)
        self.assert_ended(reply, "memory-limit", "OutOfMemoryError", 128 * MIB)

    def test_forks_without_end_meet_the_process_limit_and_are_free(self):
        reply = self.provoke("forks_forever", query="?timeout=2")
        self.assert_ended(reply, "pids-limit", "ProcessLimitError", 64)

    def test_a_tmp_that_was_filled_and_emptied_again_is_bounded_by_the_memory(self):
        reply = self.provoke("fills_tmp", "/tmp", "--memory", 64)
        self.assertEqual(reply.result["errno"], "ENOSPC", reply)
        self.assertLessEqual(reply.result["bytes"], 56 * MIB)
        self.assert_sleeps()

    def test_a_tmp_that_stays_full_is_the_disk_limit_and_free(self):
        reply = self.provoke("keeps_tmp", "raise", "--memory", 64)
        self.assert_ended(reply, "disk-limit", "DiskLimitError", 56 * MIB)

    def test_a_worker_whose_tmp_is_full_answers_and_is_not_used_again(self):
        reply = self.provoke("keeps_tmp", "answer", "--memory", 64)
        self.assert_result(reply, "full")
        wait_until(lambda: not self.new_boxes(), 3, "the worker with a full /tmp is gone")

    def test_shared_memory_is_bounded_too(self):
        reply = self.provoke("fills_tmp", "/dev/shm", "--memory", 64)
        if "result" in reply.json:
            self.assertLessEqual(reply.result["bytes"], 64 * MIB)
        else:
            self.assert_ended(reply, self.record["outcome"], reply.error["error_type"])
            self.assertIn(self.record["outcome"], ("memory-limit", "disk-limit", "algorithm-error"))

    def test_nothing_but_tmp_and_shared_memory_can_be_written(self):
        for folder in ("/", "/usr", "/fn", "/fn/code", "/rt", "/etc", "/proc", "/dev"):
            with self.subTest(folder):
                reply = self.provoke("fills_tmp", folder)
                self.assertEqual(self.record["outcome"], "algorithm-error", reply)
                self.assertRegex(reply.error["message"], "Read-only|Permission denied|No such file|not permitted")

    def test_printing_2_mib_keeps_1_mib_and_the_result(self):
        reply = self.provoke("prints", user=self.author, query="?stdout=true")
        self.assert_result(reply, "printed")
        self.assertLessEqual(len(reply.metadata["stdout"].encode()), MIB + 256)
        self.assertGreater(len(reply.metadata["stdout"]), MIB // 2)

    def test_a_result_of_15_000_000_bytes_is_returned(self):
        reply = self.provoke("big_output", "15000000", query="?output=raw")
        self.assertEqual((reply.status, len(reply.body)), (200, 15_000_000))

    def test_a_result_of_one_byte_more_is_too_large_and_free(self):
        reply = self.provoke("big_output", "15000001")
        self.assert_error(reply, "TooLargeError", 15_000_001, 15_000_000)
        self.assertEqual((self.record["outcome"], reply.charge), ("output-limit", 0))

    def test_what_goes_on_after_the_answer_stands_still_and_costs_nothing(self):
        reply = self.provoke("background")
        self.assert_result(reply, "started")
        (box,) = self.new_boxes()
        wait_until(lambda: boxes.is_frozen(self.daemon.group, box), 2, "the worker is frozen")
        used = boxes.cpu_microseconds(self.daemon.group, box)
        time.sleep(1)
        self.assertEqual(boxes.cpu_microseconds(self.daemon.group, box), used)


class Forgery(HostileCase):
    """Code that writes to the descriptors of its runtime."""

    def forge(self, mode, **options):
        return self.provoke("forges", mode, **options)

    def test_garbage_on_every_descriptor_is_no_answer(self):
        self.assert_ended(self.provoke("writes_garbage"), "bad-output", "ProtocolError", "reply")

    def test_an_answer_to_a_guessed_request_is_refused(self):
        self.assert_ended(self.forge("guess"), "bad-output", "ProtocolError")

    def test_broken_json_in_a_frame_that_is_right_does_not_reach_the_envelope(self):
        reply = self.forge("found")
        self.assert_ended(reply, "bad-output", "ProtocolError")
        self.assertEqual(set(json.loads(reply.body)), {"error", "metadata"})

    def test_broken_json_does_not_reach_a_raw_answer_either(self):
        reply = self.forge("found", query="?output=raw")
        self.assertEqual((reply.status, self.record["outcome"]), (400, "bad-output"), reply)

    def test_a_second_answer_never_becomes_the_answer_of_the_next_call(self):
        reply = self.forge("twice")
        if "result" in reply.json:
            self.assertIn(reply.result, ("forged", "honest"))
        for _ in range(3):
            again = self.daemon.call("author/forges", "unknown", self.caller)
            self.assertIn(again.error["error_type"], ("AlgorithmError", "ProtocolError"), again)
            self.assertNotIn("result", again.json)

    def test_half_a_header_ends_with_the_timeout(self):
        reply = self.forge("partial", query="?timeout=1")
        self.assert_ended(reply, "timeout-caller", "TimeoutError", free=False)

    def test_a_header_that_announces_4_gib_is_refused_unread(self):
        reply = self.forge("huge")
        self.assert_ended(reply, "output-limit", "TooLargeError", 0xFFFFFFFF, 15_000_000)

    def test_a_header_of_another_protocol_is_refused(self):
        self.assert_ended(self.forge("magic"), "bad-output", "ProtocolError")

    def test_a_result_of_an_unknown_kind_is_refused(self):
        self.assert_ended(self.forge("kind"), "bad-output", "ProtocolError")

    def test_a_frame_that_is_no_answer_is_refused(self):
        self.assert_ended(self.forge("ready"), "bad-output", "ProtocolError")

    def test_a_closed_reply_pipe_is_noticed_before_the_timeout(self):
        began = time.monotonic()
        reply = self.provoke("closes_reply", query="?timeout=30")
        self.assertLess(time.monotonic() - began, 5)
        self.assert_ended(reply, "bad-output", "ProtocolError", "closed")
