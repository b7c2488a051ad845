import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// Boxes with `lo` and listeners of the daemon in it: these they reach, and nothing else.
    @Suite(
        .serialized,
        .timeLimit(.minutes(2)),
        .enabled(if: Landlock.ofThisKernel.networkRights != 0, "needs Landlock's rules for TCP, ABI 4")
    ) struct LoopbackTests {
        /// Talks to both listeners, then tries everything else, and prints a word for each.
        private static let program = """
            import errno, os, socket, struct
            def say(name, deed):
                try:
                    word = deed()
                except OSError as error:
                    word = errno.errorcode[error.errno]
                print(name, word or "done", flush=True)
            def ask(port):
                with socket.create_connection(("127.0.0.1", port), 5) as link:
                    link.sendall(b"question %d" % port)
                    return link.recv(100).decode()
            def connect(address, family=socket.AF_INET):
                def deed():
                    with socket.socket(family, socket.SOCK_STREAM) as link:
                        link.settimeout(5)
                        link.connect(address)
                return deed
            def kind(*words):
                return lambda: socket.socket(*words).close()
            def option(level, name, value, link=None):
                def deed():
                    with socket.create_connection(("127.0.0.1", 9001), 5) as link:
                        link.setsockopt(level, name, value)
                return deed
            def fast_open():
                with socket.socket() as link:
                    link.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", 9003))
            def bound():
                with socket.socket() as link:
                    link.bind(("127.0.0.1", 0))
            def unbound():
                with socket.socket() as listener, socket.socket() as link:
                    listener.listen()
                    link.settimeout(5)
                    link.connect(listener.getsockname())
            say("first", lambda: ask(9001))
            say("second", lambda: ask(9002))
            say("next_port", connect(("127.0.0.1", 9003)))
            say("lower_port", connect(("127.0.0.1", 9000)))
            say("a_port_of_the_host", connect(("127.0.0.1", HOST)))
            say("another_address_of_lo", connect(("127.0.0.2", 9001)))
            say("IPv6", connect(("::1", 9001), socket.AF_INET6))
            say("elsewhere", connect(("192.0.2.1", 9001)))
            say("fast_open", fast_open)
            say("bind", bound)
            say("a_listener_of_its_own", unbound)
            say("no_delay", option(6, 1, 1))
            say("keepalive", option(6, 4, 60))
            say("upper_protocol", option(6, 31, b"tls"))
            say("congestion", option(6, 13, b"reno"))
            say("membership", option(0, 35, struct.pack("4s4s", b"\\xe0\\0\\0\\1", b"\\0" * 4)))
            for name, words in {
                "MPTCP": (2, 1, 262), "SCTP": (2, 1, 132), "UDP_Lite": (2, 2, 136), "ICMP": (2, 2, 1), "raw": (2, 3, 255),
                "netlink": (16, 3, 0), "packet": (17, 3, 0), "hypervisor": (40, 1, 0), "TLS_of_the_kernel": (38, 5, 0),
            }.items():
                say(name, kind(*words))
            say("UDP", kind(2, 2, 17))
            say("interfaces", lambda: open("/proc/self/net/dev").read().count(":"))
            """

        private func live(_ program: String, listeners: Int, uidBase: UInt32) throws -> LiveSpawner {
            try LiveSpawner(uidBase: uidBase, files: ["program.py": program]) {
                if listeners > 0 { $0 = $0.withLoopback(listeners: listeners) }
                $0.arguments = ["/usr/bin/python3", "-I", "-S", "-B", "/fn/code/program.py"]
            }
        }

        private func spawn(_ live: LiveSpawner) throws -> Box {
            try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
        }

        /// Waits for a connection, reads a question and answers with a mark.
        private func answer(_ listener: CInt, _ mark: String) throws -> String {
            var handle = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            try #require(poll(&handle, 1, 10_000) == 1, "nobody connects")
            let link = Descriptor(owning: accept(listener, nil, nil))
            var bytes = [UInt8](repeating: 0, count: 100)
            let length = read(link.raw, &bytes, bytes.count)
            _ = write(link.raw, mark, mark.utf8.count)
            return String(decoding: bytes.prefix(max(0, length)), as: UTF8.self)
        }

        private func words(_ text: String) -> [String: String] {
            let lines = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
            return Dictionary(lines.map { ($0[0], $0.last ?? "") }, uniquingKeysWith: { first, _ in first })
        }

        @Test func `its listeners are reached, and nothing else`() throws {
            let host = try HostListener()
            let live = try live(
                Self.program.replacing("HOST", with: "\(host.port)"),
                listeners: 2,
                uidBase: 4_100_000
            )
            let box = try spawn(live)
            #expect(box.listeners.count == 2)
            #expect(try answer(box.listeners[0], "one") == "question 9001")
            #expect(try answer(box.listeners[1], "two") == "question 9002")
            let found = words(box.everythingPrinted(within: 60))
            _ = try box.destroy()
            _ = consume host
            #expect(found["first"] == "one" && found["second"] == "two", "\(found)")
            #expect(found["no_delay"] == "done" && found["keepalive"] == "done" && found["UDP"] == "done", "\(found)")
            #expect(found["interfaces"] == "1", "\(found)")
            let closed = [
                "next_port": "EACCES", "lower_port": "EACCES", "a_port_of_the_host": "EACCES",
                "another_address_of_lo": "ECONNREFUSED", "IPv6": "ECONNREFUSED", "elsewhere": "ENETUNREACH",
                "fast_open": "ENOSYS", "bind": "EACCES", "a_listener_of_its_own": "EACCES", "upper_protocol": "ENOSYS",
                "congestion": "ENOSYS", "membership": "ENOSYS", "MPTCP": "ENOSYS", "SCTP": "ENOSYS",
                "UDP_Lite": "ENOSYS",
                "ICMP": "ENOSYS", "raw": "ENOSYS", "netlink": "EAFNOSUPPORT", "packet": "EAFNOSUPPORT",
                "hypervisor": "EAFNOSUPPORT", "TLS_of_the_kernel": "EAFNOSUPPORT",
            ]
            for (name, word) in closed { #expect(found[name] == word, "\(name): \(found[name] ?? "nothing")") }
        }

        @Test func `the listeners of two boxes do not see each other`() throws {
            let program = """
                import os, socket, sys
                with socket.create_connection(("127.0.0.1", 9001), 5) as link:
                    link.sendall(os.readlink("/proc/self/ns/net").encode())
                    print(link.recv(100).decode(), flush=True)
                """
            let live = try live(program, listeners: 1, uidBase: 4_200_000)
            let one = try spawn(live)
            let two = try spawn(live)
            let networks = [try answer(one.listeners[0], "to one"), try answer(two.listeners[0], "to two")]
            #expect(Set(networks).count == 2 && networks.allSatisfy { $0.hasPrefix("net:[") }, "\(networks)")
            let printed = [one.everythingPrinted(within: 10), two.everythingPrinted(within: 10)]
            #expect(printed == ["to one\n", "to two\n"])
            for listener in one.listeners + two.listeners {
                #expect(accept(listener, nil, nil) == -1 && errno == EAGAIN)
            }
            _ = try one.destroy()
            _ = try two.destroy()
        }

        @Test func `a box of another profile has no listeners and makes no such socket`() throws {
            let program = """
                import errno, socket
                for family in (2, 10):
                    for kind in (1, 2):
                        try:
                            socket.socket(family, kind)
                            print("made")
                        except OSError as error:
                            print(errno.errorcode[error.errno])
                """
            let box = try spawn(live(program, listeners: 0, uidBase: 4_300_000))
            #expect(box.listeners.isEmpty)
            #expect(box.everythingPrinted(within: 10) == String(repeating: "EAFNOSUPPORT\n", count: 4))
            _ = try box.destroy()
        }

        @Test func `without Landlock the network it has is still its own`() throws {
            let folder = URL(fileURLWithPath: "/var/lib/faasd-patched-\(UInt32.random(in: .min ... .max))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileTree.remove(folder.path) }
            let host = try HostListener()
            let live = try LiveSpawner(
                uidBase: 4_600_000,
                files: ["program.py": Self.program.replacing("HOST", with: "\(host.port)")],
                program: PatchedSpawner.build(without: [.landlock], in: folder)
            ) {
                $0 = $0.withLoopback(listeners: 2)
                $0.arguments = ["/usr/bin/python3", "-I", "-S", "-B", "/fn/code/program.py"]
            }
            let box = try spawn(live)
            _ = try answer(box.listeners[0], "one")
            _ = try answer(box.listeners[1], "two")
            let found = words(box.everythingPrinted(within: 60))
            _ = try box.destroy()
            #expect(found["a_listener_of_its_own"] == "done" && found["bind"] == "done", "\(found)")
            #expect(found["a_port_of_the_host"] == "ECONNREFUSED" && found["next_port"] == "ECONNREFUSED", "\(found)")
            #expect(found["elsewhere"] == "ENETUNREACH" && found["fast_open"] == "ENOSYS", "\(found)")
        }

        /// Memory of UDP buffers on the whole host, by its own count; bytes.
        private static func datagramBytes() throws -> Int {
            let text = try String(contentsOfFile: "/proc/net/sockstat", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("UDP:") })
            return try #require(Int(line.split(separator: " ").last ?? "")) * 4_096
        }

        @Test func `datagrams that nobody takes are bounded by the limit of memory`() throws {
            let program = """
                import os, socket, time
                def fill():
                    kept = []
                    try:
                        while True:
                            kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                            kept[-1].bind(("127.0.0.1", 0))
                            for _ in range(4):
                                kept[-1].sendto(b"x" * 60000, kept[-1].getsockname())
                    except OSError:
                        time.sleep(60)
                for _ in range(12):
                    if os.fork() == 0: fill()
                time.sleep(2)
                print("filled", flush=True)
                time.sleep(60)
                """
            let box = try spawn(live(program, listeners: 1, uidBase: 4_500_000))
            var most = 0
            for _ in 0..<60 {
                most = max(most, try Self.datagramBytes())
                usleep(50_000)
            }
            _ = try box.destroy()
            #expect(most < (128 + 16) << 20, "\(most >> 20) MiB of datagrams")
        }

        @Test func `fifty lives leave no descriptor behind`() throws {
            let live = try live("", listeners: Profile.listenersMax, uidBase: 4_400_000)
            _ = try spawn(live).destroy()
            let folder = "/proc/\(live.spawner.pid)/fd"
            func open() throws -> [Int] {
                try [folder, "/proc/self/fd"].map { try FileManager.default.contentsOfDirectory(atPath: $0).count }
            }
            let before = try open()
            for _ in 0..<50 { _ = try spawn(live).destroy() }
            #expect(try open() == before)
        }
    }

    /// A port of the host that somebody listens on.
    private struct HostListener: ~Copyable {
        let listener: Descriptor
        let port: UInt16

        init() throws {
            listener = Descriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let raw = listener.raw
            port = try withUnsafeMutablePointer(to: &address) { place in
                try place.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                    try #require(bind(raw, general, length) == 0 && listen(raw, 5) == 0)
                    try #require(getsockname(raw, general, &length) == 0)
                }
                return UInt16(bigEndian: place.pointee.sin_port)
            }
        }
    }
}

/// What is decided before any box is made.
@Suite struct LoopbackProfileTests {
    private let profile = Profile(.worker, runtime: "/usr").withLoopback(listeners: 1)

    @Test(arguments: [(UInt32(0), false), (3, false), (4, true), (7, true)])
    func `a kernel without rules for TCP is refused with words`(abi: UInt32, isEnough: Bool) {
        var message = ""
        do throws(SandboxError) { try profile.checkListeners(Landlock(abi: abi)) } catch { message = error.description }
        #expect(message.isEmpty == isEnough, "\(message)")
        #expect(isEnough || message.contains("ABI 4 (Linux 6.7); this kernel has ABI \(abi)"))
    }

    @Test func `boxes without listeners need no rules for TCP`() throws {
        try Profile(.worker, runtime: "/usr").checkListeners(Landlock(abi: 0))
    }
}
