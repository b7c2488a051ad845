import SQLite

extension LedgerFile {
    /// Fills the caches from the file.
    func load() throws(SQLiteError) {
        try loadAccounts()
        try loadQuotas()
        try loadKeys()
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
        let sql = """
            SELECT id, owner, kind, priority, expires_us, flags, overdraft, debits, credits, uncharged, rev, last_usage,
              parent FROM account ORDER BY id
            """
        let rows = try connection.query(sql) { (row) throws(SQLiteError) -> (LedgerAccount, Int64?)? in
            guard let kind = AccountKind(rawValue: row.int64(2)) else { return nil }
            let account = LedgerAccount(
                id: row.int64(0),
                owner: row.string(1),
                kind: kind,
                priority: row.int64(3),
                expires: row.optionalInt64(4)
            )
            account.flags = AccountFlags(rawValue: row.int64(5))
            (account.overdraft, account.debits, account.credits) = (row.int64(6), row.int64(7), row.int64(8))
            (account.uncharged, account.rev, account.lastUsage) = (row.int64(9), row.int64(10), row.optionalInt64(11))
            return (account, row.optionalInt64(12))
        }
        for case (let account, let parent)? in rows {
            add(account, payer: parent.flatMap { accounts[Int($0)] })
        }
    }

    private func loadQuotas() throws(SQLiteError) {
        let rows = try connection.query("SELECT scope, metric, limit_, rev FROM quota") {
            (row) throws(SQLiteError) -> Quota? in
            guard let metric = QuotaMetric(rawValue: row.string(1)) else { return nil }
            return Quota(scope: row.string(0), metric: metric, limit: row.int64(2), rev: row.int64(3))
        }
        for case let quota? in rows { keep(quota) }
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
        for account in callers.values { all.accounts[account.owner] = account.state }
        for quota in quotas.values.flatMap(\.values) {
            all.quotas[QuotaKey(scope: quota.scope, metric: quota.metric)] = quota
        }
        return all
    }
}
