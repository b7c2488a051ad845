import Glibc

/// A new folder under `/tmp` that goes away with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    struct CannotMake: Error { let errno: Int32 }

    init() throws {
        var template = Array("/tmp/faasd-test-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.map { mkdtemp($0) } ?? nil }) != nil else {
            throw CannotMake(errno: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

extension TemporaryFolder {
    /// Mounts a small file system in memory on the folder; root only.
    func mountMemory(kibibytes: Int) throws {
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kibibytes)k") == 0 else { throw CannotMake(errno: errno) }
    }

    func resizeMemory(kibibytes: Int) throws {
        let remount = UInt(MS_REMOUNT)
        guard mount("tmpfs", path, "tmpfs", remount, "size=\(kibibytes)k") == 0 else { throw CannotMake(errno: errno) }
    }

    func makeReadOnly() throws {
        let flags = UInt(MS_REMOUNT | MS_RDONLY)
        guard mount("tmpfs", path, "tmpfs", flags, nil) == 0 else { throw CannotMake(errno: errno) }
    }

    func unmount() { umount2(path, Int32(MNT_DETACH)) }
}

/// Copies a file byte for byte.
func copyFile(_ source: String, _ target: String) throws {
    let (input, output) = (fopen(source, "re"), fopen(target, "wxe"))
    guard let input, let output else { throw TemporaryFolder.CannotMake(errno: errno) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, input), count > 0 { fwrite(buffer, 1, count, output) }
    fclose(input)
    fclose(output)
}

/// The whole lines of a file; a last line without an end is left out.
func readLines(_ path: String) -> [String] {
    guard let input = fopen(path, "re") else { return [] }
    defer { fclose(input) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var bytes: [UInt8] = []
    while case let count = fread(&buffer, 1, buffer.count, input), count > 0 { bytes += buffer[..<count] }
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[..<$0] } ?? []
    return whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
}
