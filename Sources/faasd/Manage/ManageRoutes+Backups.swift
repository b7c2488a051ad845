import Billing
import Foundation
import HTTPTypes
import Hummingbird
import Logging

extension ManageRoutes {
    private struct Wish: Decodable {
        var name: String
    }

    /// Backups lie in a folder of the state directory: the daemon can write nowhere else.
    func addBackups(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/ledger/backups",
            use: administrator { request, _, _ in
                let target = try backupPath(try await JSONReply.read(Wish.self, request).name)
                try FileManager.default.createDirectory(
                    atPath: files.backups,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                let (path, key) = (files.ledger, headKey)
                let made = try await onThread { () throws(LedgerError) in
                    try Ledger.backup(path: path, to: target, key: key)
                }
                logger.notice("ledger backed up", metadata: ["path": "\(made.path)", "bytes": "\(made.bytes)"])
                return JSONReply.make(.created, made)
            }
        )
        router.post(
            "/v1/manage/ledger/backups/:name/check",
            use: administrator { _, context, _ in
                let name = context.parameters.get("name") ?? ""
                let backup = try backupPath(name)
                guard FileManager.default.fileExists(atPath: backup) else {
                    throw ManageProblem(
                        status: .notFound,
                        type: "not_found",
                        message: "there is no backup \(name)",
                        field: "name",
                        value: name
                    )
                }
                let (path, key) = (files.ledger, headKey)
                let report = try await onThread { () throws(LedgerError) in
                    try Ledger.restoreCheck(backup, against: path, key: key)
                }
                return JSONReply.make(.ok, report)
            }
        )
    }

    private func backupPath(_ name: String) throws(ManageProblem) -> String {
        let letters = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        guard (1...100).contains(name.utf8.count), letters, !name.hasPrefix(".") else {
            throw .invalid("name", name, "1 to 100 letters, digits, '-', '_' and '.', not beginning with '.'")
        }
        return files.backups + "/" + name
    }
}
