import Foundation

/// What one durable write costs here: 4 KiB over written ones, and fdatasync, a thousand times.
enum DiskRow {
    static func run(_ options: Options) throws -> String {
        let path = options.folder + "/ledger-bench-fsync-\(ProcessInfo.processInfo.processIdentifier)"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(step: "open \(path)", code: errno) }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 4096)
        let latencies = Latencies(capacity: 1000)
        for block in 0..<256 where pwrite(file, page, page.count, off_t(block * 4096)) != page.count {
            throw Failure(step: "write", code: errno)
        }
        fsync(file)
        let (cpu, start) = (Resources.now, ContinuousClock.now)
        for number in 0..<1000 {
            let began = ContinuousClock.now
            guard pwrite(file, page, page.count, off_t(number % 256 * 4096)) == page.count, fdatasync(file) == 0 else {
                throw Failure(step: "fdatasync", code: errno)
            }
            latencies.note(.now - began)
        }
        return latencies.summary(.now - start, cpu: Resources.now - cpu, memory: Resources.residentMiB)
    }

    struct Failure: Error {
        let step: String
        let code: Int32
    }
}
