import Foundation
import Glibc
import Testing

@testable import Sandbox

/// What an attack in a box tries; each prints one word.
enum LayerAttack: String, CaseIterable {
    case namespace, netlink, memory, datagram, forks, allocation, spin, stop, bomb, hostname, signal, execute, forge

    /// `/fn/code/attack.py NAME [ARGUMENT]`.
    static let program = """
        import ctypes, errno, os, socket, sys
        def namespace():
            libc = ctypes.CDLL(None, use_errno=True)
            return "made" if libc.unshare(0x10000000) == 0 else errno.errorcode[ctypes.get_errno()]
        def netlink():
            socket.socket(16, socket.SOCK_RAW, 0)
            return "made"
        def memory():
            open("/proc/self/mem", "r+b", buffering=0)
            return "opened"
        def datagram():
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(sys.argv[2])))
            return "sent"
        def forks():
            for made in range(40):
                if os.fork() == 0:
                    os.read(0, 1)
                    import time
                    time.sleep(5)
                    os._exit(0)
            return "forked"
        def allocation():
            return "allocated" if len(bytes(96 << 20).replace(b"\\0", b"x")) else ""
        def spin():
            print("ready", flush=True)
            while True: pass
        def stop():
            if os.fork() == 0:
                print("ready", flush=True)
                os.kill(os.getpid(), 19)
            while True: os.read(3, 1)
        def bomb():
            print("ready", flush=True)
            while True:
                try: os.fork()
                except OSError: pass
        def hostname():
            libc = ctypes.CDLL(None, use_errno=True)
            return "made" if libc.sethostname(b"mine", 4) == 0 else errno.errorcode[ctypes.get_errno()]
        def signal():
            print("ready", flush=True)
            os.kill(int(os.read(3, 32)), 9)
            return "sent"
        def execute():
            with open("/usr/bin/true", "rb") as source, open("/tmp/true", "wb") as copy:
                copy.write(source.read())
            os.chmod("/tmp/true", 0o700)
            if os.fork() == 0:
                try: os.execv("/tmp/true", ["true"])
                finally: os._exit(1)
            return "ran" if os.wait()[1] == 0 else "failed"
        def forge():
            os.write(4, bytes.fromhex(sys.argv[2]))
            while True: os.read(3, 4096)
        try:
            print(globals()[sys.argv[1]](), flush=True)
        except OSError as error:
            print(errno.errorcode[error.errno], flush=True)
        os._exit(0)
        """
}

extension RealBoxes {
    /// Each layer stops something: boxes are built without it, and an attack gets further.
    ///
    /// Where a second layer stops the attack as well, that one is taken away too, and named.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LayerTests {
        enum Layer: CaseIterable { case filter, landlock, network }

        static func remove(_ layers: Set<Layer>, from profile: inout Profile) {
            if layers.contains(.filter) {
                let names = Set((Syscalls.worker(.general) + Syscalls.install).flatMap(\.names)).sorted()
                profile.syscalls = [SyscallRule(names.joined(separator: " "), "the filter is taken away")]
            }
            if layers.contains(.landlock) { profile.rules = [("/", Landlock.ofThisKernel.fileRights)] }
            if layers.contains(.network) { profile.usesHostNetwork = true }
        }

        /// What the attack printed, or how its process ended when it printed nothing.
        private func run(
            _ attack: LayerAttack,
            without layers: Set<Layer> = [],
            limits: BoxLimits = LiveSpawner.limits,
            argument: String = ""
        ) throws -> String {
            let live = try LiveSpawner(uidBase: 3_200_000) { profile in
                profile.arguments = ["/usr/bin/python3", "-I", "-S", "/fn/code/attack.py", attack.rawValue, argument]
                Self.remove(layers, from: &profile)
            }
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: limits)
            var handle = pollfd(fd: box.processHandle, events: Int16(POLLIN), revents: 0)
            #expect(poll(&handle, 1, 60_000) == 1)
            var bytes = [UInt8](repeating: 0, count: 256)
            let length = read(box.standardOutput, &bytes, bytes.count)
            let word = String(decoding: bytes.prefix(max(0, length)), as: UTF8.self)
            let death = try box.destroy()
            return word.isEmpty
                ? "\(death.oomKills > 0 ? "out of memory" : "\(death.cause)")" : word.filter { $0 != "\n" }
        }

        @Test(
            arguments: [
                (LayerAttack.namespace, Set<Layer>([.filter]), "signaled(31)", "made"),
                (.netlink, [.filter], "EAFNOSUPPORT", "made"),
                (.memory, [.landlock], "EACCES", "opened"),
            ] as [(LayerAttack, Set<Layer>, String, String)]
        )
        func `an attack that is held gets further without the layer that holds it`(
            attack: LayerAttack,
            layers: Set<Layer>,
            held: String,
            further: String
        ) throws {
            #expect(try run(attack) == held)
            #expect(try run(attack, without: layers) == further)
        }

        @Test func `the host's network is behind the filter and the namespace, and either is enough`() throws {
            let listener = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let port = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    #expect(bind(listener, raw, length) == 0 && getsockname(listener, raw, &length) == 0)
                }
                return "\(UInt16(bigEndian: pointer.pointee.sin_port))"
            }
            func arrived() -> Bool {
                var byte: UInt8 = 0
                return recv(listener, &byte, 1, 0) == 1
            }
            #expect(try run(.datagram, argument: port) == "EAFNOSUPPORT")
            #expect(try run(.datagram, without: [.network], argument: port) == "EAFNOSUPPORT")
            #expect(try run(.datagram, without: [.filter], argument: port) == "ENETUNREACH")
            #expect(!arrived())
            #expect(try run(.datagram, without: [.filter, .network], argument: port) == "sent")
            #expect(arrived())
        }

        @Test(arguments: [(40, "EAGAIN"), (41, "forked")] as [(UInt32, String)])
        func `the limit of processes holds, and nothing else does`(pids: UInt32, expected: String) throws {
            var limits = LiveSpawner.limits
            limits.pids = pids
            #expect(try run(.forks, limits: limits) == expected)
        }

        @Test(arguments: [(UInt64(64), "out of memory"), (512, "allocated")] as [(UInt64, String)])
        func `the limit of memory holds, and nothing else does`(mebibytes: UInt64, expected: String) throws {
            var limits = LiveSpawner.limits
            limits.memoryBytes = mebibytes << 20
            #expect(try run(.allocation, limits: limits) == expected)
        }
    }
}
