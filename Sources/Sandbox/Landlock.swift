internal import CSandbox

/// The Landlock rights we handle, by the ABI of the running kernel.
///
/// - Source: `linux/landlock.h`, landlock(7). Numbers are the kernel's, because the host's headers may be older.
struct Landlock: Sendable, Equatable {
    /// The ABI found, 0 when the kernel has none.
    let abi: UInt32

    static var ofThisKernel: Landlock { Landlock(abi: sbx_landlock_abi()) }

    static let execute: UInt64 = 1 << 0
    static let writeFile: UInt64 = 1 << 1
    static let readFile: UInt64 = 1 << 2
    static let readDirectory: UInt64 = 1 << 3
    static let removeDirectory: UInt64 = 1 << 4
    static let removeFile: UInt64 = 1 << 5
    static let makeDirectory: UInt64 = 1 << 7
    static let makeRegular: UInt64 = 1 << 8
    static let makeSocket: UInt64 = 1 << 9
    static let makeFifo: UInt64 = 1 << 10
    static let makeSymlink: UInt64 = 1 << 12
    static let refer: UInt64 = 1 << 13
    static let truncate: UInt64 = 1 << 14

    /// Looking and executing: programs and libraries.
    static let readExecute = execute | readFile | readDirectory
    /// Looking only.
    static let read = readFile | readDirectory
    /// A private directory: everything but executing and device nodes.
    static let write =
        read | writeFile | removeDirectory | removeFile | makeDirectory | makeRegular | makeSocket | makeFifo
        | makeSymlink | refer | truncate

    /// All file rights this ABI can restrict.
    var fileRights: UInt64 {
        switch abi {
        case 0: 0
        case 1: (1 << 13) - 1
        case 2: (1 << 14) - 1
        case 3, 4: (1 << 15) - 1
        default: (1 << 16) - 1
        }
    }

    /// Binding and connecting TCP, from ABI 4.
    ///
    /// Not a firewall: it misses UDP and TCP Fast Open; the empty network namespace and the socket filter are.
    var networkRights: UInt64 { abi >= 4 ? 3 : 0 }

    /// Abstract Unix sockets and signals, from ABI 6.
    var scopes: UInt64 { abi >= 6 ? 3 : 0 }
}
