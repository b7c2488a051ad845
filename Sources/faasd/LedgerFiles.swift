/// Where the ledger and what belongs to it lie in a state directory.
struct LedgerFiles: Sendable {
    let stateDirectory: String

    /// The ledger.
    var ledger: String { stateDirectory + "/ledger.db" }
    /// The key that signs exported heads; made at the first start.
    var headKey: String { stateDirectory + "/head.key" }
    /// There while the ledger has been found wrong.
    var marker: String { stateDirectory + "/ledger-audit-failed" }
    /// Backups made by the daemon.
    var backups: String { stateDirectory + "/backups" }
}
