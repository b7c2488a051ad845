import SQLite

extension LedgerFile {
    /// Fills the caches from the file.
    func load() throws(SQLiteError) {
        try loadAccounts()
        try loadQuotas()
        let terms = try connection.query("SELECT algo_version, per_call_ucr, author_bps, author FROM royalty") {
            (row) throws(SQLiteError) in
            (
                row.int64(0),
                RoyaltyTerms(perCall: row.int64(1), authorBasisPoints: row.int64(2), authorAccount: row.int64(3))
            )
        }
        royalties = Dictionary(terms) { first, _ in first }
        let last = try connection.query("SELECT seq, hash, ts_us FROM block ORDER BY seq DESC LIMIT 1") {
            (row) throws(SQLiteError) in (seq: row.int64(0), hash: row.bytes(1), time: row.int64(2))
        }
        guard let last = last.first else { return }
        (block, head, ledgerMicroseconds) = (last.seq, last.hash, last.time)
    }

    private func loadAccounts() throws(SQLiteError) {
        let rows = try connection.query("SELECT id, owner, kind, overdraft, debits, credits FROM account") {
            (row) throws(SQLiteError) -> (Int64, AccountRow)? in
            guard let kind = AccountKind(rawValue: row.int64(2)) else { return nil }
            let key = AccountKey(owner: row.string(1), kind: kind)
            return (
                row.int64(0),
                AccountRow(key: key, overdraft: row.int64(3), debits: row.int64(4), credits: row.int64(5))
            )
        }
        for case (let id, let row)? in rows {
            accounts[id] = row
            accountIDs[row.key] = id
        }
    }

    private func loadQuotas() throws(SQLiteError) {
        let rows = try connection.query("SELECT scope, metric, limit_, rev FROM quota") {
            (row) throws(SQLiteError) -> Quota? in
            guard let metric = QuotaMetric(rawValue: row.string(1)) else { return nil }
            return Quota(scope: row.string(0), metric: metric, limit: row.int64(2), rev: row.int64(3))
        }
        for case let quota? in rows { quotas[quota.scope, default: [:]][quota.metric] = quota }
        // The greatest period of each counter is the current one, or will be found outdated.
        let used = try connection.query("SELECT scope, metric, period, used FROM quota_used ORDER BY period") {
            (row) throws(SQLiteError) in
            (
                scope: row.string(0), metric: row.string(1),
                counter: WindowCounter(window: row.int64(2), used: row.int64(3))
            )
        }
        for row in used {
            guard let metric = QuotaMetric(rawValue: row.metric) else { continue }
            counters[row.scope, default: [:]][metric] = row.counter
        }
    }

    /// Everything admission must know at the start.
    func everything() -> CommittedChanges {
        var all = CommittedChanges()
        all.ledgerMicroseconds = ledgerMicroseconds
        all.royalties = royalties
        all.counters = counters
        for row in accounts.values where row.key.kind == .caller { all.accounts[row.key.owner] = row.state }
        for quota in quotas.values.flatMap(\.values) {
            all.quotas[QuotaKey(scope: quota.scope, metric: quota.metric)] = quota
        }
        return all
    }
}

extension LedgerFile.AccountRow {
    var state: AccountState { AccountState(credits: credits, debits: debits, overdraft: overdraft) }
}
