internal import CSpawnerProtocol
internal import Glibc

/// Boxes that may talk to the daemon over TCP, and to nobody else.
///
/// Such a box has `lo` in its own network namespace, and in it listening sockets whose other ends the daemon has from the
/// spawner (`Box.listeners`): no port of the host is involved, and no two boxes meet. Nothing else listens there, and
/// nothing leads out.
///
/// What it may connect to is bounded by Landlock, and so by the filter: no Fast Open, which Landlock misses. The buffers of
/// its sockets count as its memory; on version 1 of control groups they have a limit of their own, of the same size.
extension Profile {
    /// The most listeners that a box can have.
    public static let listenersMax = Int(SP_LISTENERS_MAX)

    /// The port of the first listener on 127.0.0.1, inside; the next ones follow it.
    public static let listenerPort = UInt16(SP_LISTENER_PORT)

    /// The same kind of box, with so many listeners of the daemon in its network.
    ///
    /// - Parameter listeners: 1 to `listenersMax`.
    /// - Returns: the profile; `Spawner.start` refuses it on a kernel that cannot bound its connections.
    public func withLoopback(listeners: Int) -> Profile {
        precondition(1...Self.listenersMax ~= listeners, "1 to \(Self.listenersMax) listeners, got \(listeners)")
        precondition(!usesHostNetwork, "a box in the host's network has no network of its own to listen in")
        var copy = self
        copy.listeners = listeners
        copy.syscalls = Syscalls.withLoopback(syscalls)
        return copy
    }

    /// - Throws: `SandboxError` of step `policy` where the kernel could not hold such a box to its listeners.
    func checkListeners(_ landlock: Landlock) throws(SandboxError) {
        guard listeners > 0, landlock.networkRights == 0 else { return }
        throw SandboxError(
            "policy",
            "boxes of kind \(kind) with \(listeners) listeners need Landlock's rules for TCP, ABI 4 (Linux 6.7); this kernel has ABI \(landlock.abi)"
        )
    }
}

extension Syscalls {
    /// The rules of a worker, and TCP and UDP within a network that is the box's own.
    static func withLoopback(_ rules: [SyscallRule]) -> [SyscallRule] {
        rules.filter { $0.names != ["socket"] } + loopback
    }

    /// The kinds of socket: SOCK_STREAM for TCP, SOCK_DGRAM for UDP, whatever their flags.
    ///
    /// The protocol is named, because MPTCP, SCTP, UDP-Lite and ICMP are sockets of the same families and kinds.
    private static let loopbackSockets: [[SyscallRule.Condition]] = [2, 10].flatMap { family in
        [(kind: 1, protocols: [0, 6]), (kind: 2, protocols: [0, 17])].flatMap { socket in
            socket.protocols.map { number in
                [
                    .equal(0, family), .masked(1, 0xffff_ffff & ~0x8_0800, UInt64(socket.kind)),
                    .equal(2, UInt64(number)),
                ]
            }
        }
    }

    private static let loopback: [SyscallRule] = [
        SyscallRule("socket", "AF_UNIX, and TCP and UDP of IPv4 and IPv6", when: [[.equal(0, 1)]] + loopbackSockets),
        SyscallRule(
            "socket",
            "every other family is absent",
            when: [0, 3, 4, 5, 6, 7, 8, 9].map { [.equal(0, $0)] } + [[.greater(0, 10)]],
            action: .refuse(EAFNOSUPPORT)
        ),
        SyscallRule(
            "setsockopt",
            "of TCP: TCP_NODELAY and keepalive, never TCP_ULP",
            when: [1, 4, 5, 6].map { [.equal(1, 6), .equal(2, $0)] }
        ),
    ]
}
