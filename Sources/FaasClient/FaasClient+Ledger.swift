/// The audit, and copies of the ledger.
extension FaasClient {
    /// Lets the daemon check its ledger.
    ///
    /// - Parameters:
    ///   - scope: `everything`, `chain` or `rates`.
    ///   - fromBlock: the first block looked at; nil for all.
    ///   - heads: documents of heads exported before, to be found in the chain.
    /// - Returns: the findings.
    /// - Throws: `ClientError`.
    public func audit(
        scope: String? = nil,
        fromBlock: Int64? = nil,
        heads: [[UInt8]] = []
    ) async throws(ClientError) -> Answer<AuditReport> {
        var request = Request(.post, "v1", "manage", "audit").adding("scope", scope)
            .adding("from_block", fromBlock.map { "\($0)" }).within(seconds: ClientLimits.auditSeconds)
        if !heads.isEmpty {
            // The documents as they are: what was signed must not be written anew.
            let list = heads.joined(separator: [UInt8(ascii: ",")])
            let body = Array("{\"heads\":[".utf8) + Array(list) + Array("]}".utf8)
            request = request.carrying(body, as: "application/json")
        }
        return try await send(request)
    }

    /// Gets the last block, signed.
    public func exportedHead() async throws(ClientError) -> Answer<SignedHead> {
        try await send(Request(.get, "v1", "manage", "audit", "head"))
    }

    /// Lets the daemon copy its ledger while calls go on.
    public func backUpLedger(name: String) async throws(ClientError) -> Answer<LedgerBackup> {
        let request = Request(.post, "v1", "manage", "ledger", "backups").within(seconds: ClientLimits.auditSeconds)
        return try await send(try request.carrying(object: ["name": name]))
    }

    /// Lets the daemon check one of its backups.
    public func checkBackup(name: String) async throws(ClientError) -> Answer<RestoreReport> {
        let request = Request(.post, "v1", "manage", "ledger", "backups", name, "check")
        return try await send(request.within(seconds: ClientLimits.auditSeconds))
    }
}
