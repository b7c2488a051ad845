import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// The kinds of kernel interfaces by which known exploits entered (the public entries of kernelCTF), one probe each.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KernelClassTests {
        /// Prints one word for each kind: `reached`, or how the kernel's door was found closed.
        private static let program = """
            import ctypes, errno, os, signal, socket
            libc = ctypes.CDLL(None, use_errno=True)
            def call(number, *words):
                words = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
                if libc.syscall(ctypes.c_long(number), *words) >= 0: return
                raise OSError(ctypes.get_errno(), "")
            def family(number, kind, protocol=0):
                return lambda: socket.socket(number, kind, protocol)
            def out_of_band():
                one, two = socket.socketpair()
                one.send(b"x", socket.MSG_OOB)
            def spliced():
                one, two = os.pipe()
                os.write(two, b"x")
                other = socket.socketpair()
                os.splice(one, other[0].fileno(), 1)
            def tls():
                one = socket.socketpair()[0]
                one.setsockopt(6, 31, b"tls")
            PROBES = {
                "user namespace": lambda: call(272, 0x10000000), "network namespace": lambda: call(272, 0x40000000),
                "clone into a user namespace": lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0),
                "netlink": family(16, socket.SOCK_RAW, 12), "netfilter by raw sockets": family(2, socket.SOCK_RAW, 255),
                "packet sockets": family(17, socket.SOCK_RAW), "kernel TLS": tls, "multicast groups": family(2, socket.SOCK_DGRAM),
                "bpf": lambda: call(321, 0, ctypes.byref(ctypes.c_uint64(1)), 8), "io_uring": lambda: call(425, 1, ctypes.create_string_buffer(256)),
                "perf": lambda: call(298, ctypes.create_string_buffer(b"\\0" * 4 + b"\\x80" + b"\\0" * 123, 128), 0, -1, -1, 0),
                "crypto sockets": family(38, socket.SOCK_SEQPACKET), "hypervisor sockets": family(40, socket.SOCK_STREAM),
                "out-of-band bytes": out_of_band, "splice": spliced, "keys": lambda: call(250, 0, -3, 1),
                "user page faults": lambda: call(323, 0), "RxRPC": family(33, socket.SOCK_DGRAM),
                "mounts": lambda: call(430, b"tmpfs", 0), "queues of System V": lambda: call(68, 0, 0o1600),
            }
            for name, probe in PROBES.items():
                if (child := os.fork()) == 0:
                    try:
                        probe()
                        os._exit(0)
                    except OSError as error:
                        refused = (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT, errno.EACCES, errno.ENOTSUP, errno.ESOCKTNOSUPPORT)
                        os._exit(1 if error.errno in refused else 0)
                status = os.waitpid(child, 0)[1]
                print(name.replace(" ", "_"), "reached" if status == 0 else "closed", flush=True)
            """

        private func probe(_ rules: [SyscallRule]) throws -> [String: Bool] {
            let live = try LiveSpawner(uidBase: 3_700_000, files: ["probe.py": Self.program]) {
                $0.arguments = ["/usr/bin/python3", "-I", "-S", "-B", "/fn/code/probe.py"]
                $0.syscalls = rules
            }
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            let lines = box.everythingPrinted(within: 30).split(separator: "\n").map { $0.split(separator: " ") }
            _ = try box.destroy()
            let pairs = lines.map { (String($0[0]), $0[1] == "reached") }
            return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }

        @Test(arguments: SyscallProfile.allCases)
        func `no kind of interface by which kernels were broken is reached`(calls: SyscallProfile) throws {
            let found = try probe(Syscalls.worker(calls))
            #expect(found.count == 20, "\(found)")
            #expect(found.filter(\.value).isEmpty)
        }

        @Test func `the probes reach the kernel when there is no filter`() throws {
            let names = Set((Syscalls.worker(.general) + Syscalls.install).flatMap(\.names)).union([
                "msgget", "io_uring_setup",
            ])
            let reached = try probe([SyscallRule(names.sorted().joined(separator: " "), "the filter is taken away")])
            // What is left is closed by the kernel's own settings, missing modules and the lack of capabilities.
            #expect(reached.filter(\.value).count >= 10, "\(reached)")
        }
    }
}
