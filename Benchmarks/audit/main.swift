import Foundation

/// `audit-bench [RECORDS [FILE [CALLS_AT_ONCE]]]`: makes a ledger of so many calls (1,000,000, of which 2,000 at once) in
/// FILE, or takes the one that is there, and audits it three times.
let arguments = CommandLine.arguments
let records = arguments.count > 1 ? Int(arguments[1]) ?? 0 : 1_000_000
let callsAtOnce = arguments.count > 3 ? Int(arguments[3]) ?? 1 : 2_000
let folder = FileManager.default.temporaryDirectory.path + "/audit-bench-\(getpid())"
let path = arguments.count > 2 ? arguments[2] : folder + "/ledger.db"

if !FileManager.default.fileExists(atPath: path) {
    if arguments.count <= 2 {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let start = ContinuousClock.now
    try await SampleLedger.make(path: path, records: records, callsAtOnce: max(1, callsAtOnce))
    print("\(records) calls charged in \(ContinuousClock.now - start)")
}
print(try AuditRow(path: path, runs: 3).text)
print(Machine.text)
if arguments.count <= 2 { try FileManager.default.removeItem(atPath: folder) }
