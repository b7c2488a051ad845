"""The sandbox, judged by what the kernel says of it."""
import os
import pwd
import threading
import time

import boxes
from harness import DaemonCase
from host import HOST_USER, wait_until

SIGSYS = 31
NO_CAPABILITIES = "0" * 16
SOCKET_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40}


class FromOutside(DaemonCase):
    """/proc and the control groups of a live worker, as root of the host sees them."""

    capability_sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")

    def uid_of_the_daemon(self):
        return pwd.getpwnam(HOST_USER).pw_uid

    @classmethod
    def prepare(cls):
        options = ("--memory", 96, "--cpus", 2)
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author, *options)
        cls.run_time = threading.Thread(target=cls.daemon.call, args=(cls.sleeps, "4", cls.caller))
        cls.run_time.start()
        cls.addClassCleanup(cls.run_time.join)
        cls.group = cls.daemon.group
        wait_until(lambda: boxes.processes(cls.group), 5, "a worker runs")
        time.sleep(0.5)
        (cls.pid,) = boxes.processes(cls.group)
        cls.box = boxes.processes(cls.group)[cls.pid]
        cls.status = boxes.status(cls.pid)
        cls.namespaces = boxes.namespaces(cls.pid)

    def test_it_has_no_capabilities_of_any_kind(self):
        found = {name: value for name, value in self.status.items() if name.startswith("Cap")}
        self.assertGreaterEqual(set(found), {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        self.assertEqual(set(found.values()), {NO_CAPABILITIES}, found)

    def test_it_cannot_gain_privileges_and_has_a_filter(self):
        self.assertEqual((self.status["NoNewPrivs"], self.status["Seccomp"]), ("1", "2"))

    def test_its_user_is_neither_root_nor_the_daemons(self):
        known = {0, self.uid_of_the_daemon()}
        for field in ("Uid", "Gid"):
            self.assertFalse(known & {int(number) for number in self.status[field].split()}, self.status[field])
        self.assertIn(self.status["Groups"].strip(), ("", self.status["Gid"].split()[0]))

    def test_each_of_its_namespaces_is_its_own(self):
        for kind, link in self.namespaces.items():
            for other in ("self", self.daemon.pid, self.daemon.spawner_pid()):
                self.assertNotEqual(link, os.readlink(f"/proc/{other}/ns/{kind}"), kind)

    def test_two_boxes_share_no_namespace_and_no_user(self):
        self.daemon.call(self.echo, "x", self.caller)
        self.daemon.call(self.echo, "x", self.author)
        pids = [pid for pid, box in boxes.processes(self.group).items()]
        self.assertGreaterEqual(len(pids), 3)
        for kind in boxes.NAMESPACES:
            self.assertEqual(len({boxes.namespaces(pid)[kind] for pid in pids}), len(pids), kind)
        self.assertEqual(len({boxes.status(pid)["Uid"] for pid in pids}), len(pids))

    def test_its_control_groups_hold_the_limits_of_its_version(self):
        memory = boxes.first_file(self.group, self.box, (("memory",), "memory.limit_in_bytes"), ((), "memory.max"))
        self.assertEqual(int(memory), 96 << 20)
        self.assertEqual(int(boxes.file(self.group, self.box, ("pids",), "pids.max")), 64)
        quota = boxes.first_file(self.group, self.box, (("cpu",), "cpu.cfs_quota_us"), ((), "cpu.max")).split()[0]
        period = boxes.first_file(self.group, self.box, (("cpu",), "cpu.cfs_period_us"), ((), "cpu.max")).split()[-1]
        self.assertEqual(int(quota), 2 * int(period))

    def test_its_root_shows_nothing_of_the_host(self):
        mounts = boxes.read(f"/proc/{self.pid}/mountinfo")
        self.assertNotIn(self.daemon.state, os.listdir(f"/proc/{self.pid}/root"))
        for missing in ("var", "root", "sys", "boot"):
            self.assertFalse(os.path.exists(f"/proc/{self.pid}/root/{missing}"), missing)
        for folder, link, target, all_of_it in (("home", "algo", "/tmp", {"algo"}), ("opt", "algorithm", "/fn/code", {"algorithm", "fn"})):
            self.assertEqual(set(os.listdir(f"/proc/{self.pid}/root/{folder}")), all_of_it)
            self.assertEqual(os.readlink(f"/proc/{self.pid}/root/{folder}/{link}"), target)
        for line in mounts.splitlines():
            point, options = line.split()[4:6]
            if point not in ("/tmp", "/proc") and not point.startswith("/dev/"):
                self.assertIn("ro", options.split(","), line)
            self.assertIn("nosuid", options.split(","), line)

    def test_it_holds_no_descriptor_but_its_pipes(self):
        links = {fd: os.readlink(f"/proc/{self.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{self.pid}/fd")}
        self.assertEqual(set(links), {"0", "1", "2", "3", "4"}, links)
        self.assertEqual(links.pop("0"), "/dev/null")
        self.assertTrue(all(link.startswith("pipe:") for link in links.values()), links)

    def test_the_daemon_itself_has_no_rights_left(self):
        status = boxes.status(self.daemon.pid)
        self.assertEqual(set(status["Uid"].split()), {str(self.uid_of_the_daemon())})
        self.assertNotIn("0", status["Gid"].split() + status["Groups"].split())
        for name in self.capability_sets:
            self.assertEqual(status[name], NO_CAPABILITIES, name)
        self.assertEqual(status["NoNewPrivs"], "1")

    def test_every_thread_of_the_daemon_has_dropped_its_rights(self):
        for task in os.listdir(f"/proc/{self.daemon.pid}/task"):
            status = boxes.status(f"{self.daemon.pid}/task/{task}")
            self.assertNotIn("0", status["Uid"].split(), task)
            self.assertEqual(status["CapEff"], NO_CAPABILITIES, task)

    def test_a_worker_is_frozen_between_its_calls(self):
        before = boxes.names(self.group)
        self.daemon.call(self.daemon.deploy("counter", self.author), "x", self.caller)
        (box,) = boxes.names(self.group) - before
        wait_until(lambda: boxes.is_frozen(self.group, box), 2, "the worker is frozen")
        used = boxes.cpu_microseconds(self.group, box)
        time.sleep(0.5)
        self.assertEqual(boxes.cpu_microseconds(self.group, box), used)
        self.assert_result(self.daemon.call("author/counter", "x", self.caller), 2)


class FromInside(DaemonCase):
    """System calls, made by an algorithm in a process of its own."""

    @classmethod
    def prepare(cls):
        for fixture in ("syscalls", "whoami"):
            cls.daemon.deploy(fixture, cls.author)

    def syscall(self, name, *arguments):
        body = f'{{"call": "{name}"' + (f', "args": {list(arguments)}}}' if arguments else "}")
        reply = self.daemon.call("author/syscalls", body, self.caller, "application/json")
        self.assertEqual(reply.status, 200, reply)
        self.assertIn("result", reply.json, reply)
        return reply.result

    def test_calls_of_attackers_end_their_process_with_sigsys(self):
        for name in ("ptrace", "mount", "unshare", "keyctl", "bpf", "umount2", "setns", "userfaultfd", "init_module",
                     "kexec_load", "pivot_root", "process_vm_readv", "perf_event_open", "reboot"):
            with self.subTest(name):
                self.assertEqual(self.syscall(name), {"signal": SIGSYS})

    def test_the_root_cannot_be_changed(self):
        self.assertIn(self.syscall("chroot"), ({"signal": SIGSYS}, {"errno": 1, "name": "EPERM"}))

    def test_io_uring_is_not_there(self):
        self.assertEqual(self.syscall("io_uring_setup"), {"errno": 38, "name": "ENOSYS"})

    def test_no_socket_but_unix_can_be_made(self):
        for name, family in SOCKET_FAMILIES.items():
            for kind in (1, 2, 3):
                with self.subTest(f"{name} {kind}"):
                    found = self.syscall("socket", family, kind, 0)
                    if name != "AF_UNIX":
                        self.assertEqual(found, {"errno": 97, "name": "EAFNOSUPPORT"})
                    elif kind != 3:
                        self.assertEqual(found, {"returned": True})

    def test_every_other_family_is_refused_too(self):
        for family in (0, 3, 4, 9, 15, 20, 21, 29, 30, 39, 44, 45, 255, (1 << 32) + 2):
            with self.subTest(family):
                self.assertNotIn("returned", self.syscall("socket", family, 1, 0))

    def test_no_file_of_proc_can_be_written(self):
        opens = self.daemon.deploy("opens_for_writing", self.author)
        for path in ("/proc/self/mem", "/proc/1/mem", "/proc/1/oom_score_adj", "/proc/self/uid_map", "/proc/self/comm"):
            with self.subTest(path):
                self.assert_result(self.daemon.call(opens, path, self.caller), "EACCES")

    def test_of_files_that_are_none_only_named_pipes_can_be_made(self):
        found = self.daemon.call(self.daemon.deploy("makes_nodes", self.author), "x", self.caller).result
        self.assertEqual(found.pop("pipe in /tmp"), "made")
        self.assertEqual(set(found), {"pipe in /fn", "pipe in /dev", "character device", "block device", "socket"})
        for kind, answer in found.items():
            self.assertIn(answer, ("EROFS", "EACCES", "EPERM", "ENOSYS"), kind)

    def test_calls_for_other_architectures_end_their_process(self):
        self.assertEqual(self.syscall("socket", 1, 1, 0), {"returned": True})
        x32 = self.daemon.call("author/syscalls", f'{{"call": {0x40000000 + 39}}}', self.caller, "application/json")
        self.assertIn(x32.result, ({"signal": SIGSYS}, {"errno": 38, "name": "ENOSYS"}))

    def test_the_code_sees_a_user_a_process_and_a_root_of_its_own(self):
        seen = self.daemon.call("author/whoami", "x", self.caller).result
        self.assertEqual((seen["uid"], seen["gid"], seen["pid"]), (1000, 1000, 1))
        self.assertLessEqual(set(seen["root"]), {"bin", "dev", "env", "etc", "fn", "home", "lib", "lib64", "opt", "proc", "rt",
                                                  "sbin", "tmp", "usr"})
        self.assertEqual(seen["cwd"], "/opt/fn/code")

    def test_the_environment_holds_nothing_of_the_daemons(self):
        seen = self.daemon.call("author/whoami", "x", self.caller).result["env"]
        self.assertEqual(set(seen) - {"LC_CTYPE"}, {"PATH", "HOME", "LANG", "TZ", "PYTHONUNBUFFERED", "OMP_NUM_THREADS",
                                                    "OPENBLAS_NUM_THREADS"})
