extension Schema {
    /// Lots, durable holds, idempotency keys, reversals, and fewer indexes.
    ///
    /// An index costs every charge a write: the one on `ref` holds references only, and not a null for each leg of a
    /// charge; that a charge has its legs once is checked by the writer (one usage record per invocation, the block's
    /// sums) and by the audit; a payer's records are a list through `usage.prev`, the last one in `account.last_usage`.
    /// Columns added to chained tables enter a row's hash when they are not null, so that old rows keep theirs;
    /// `usage.prev` never does: it repeats what `payer` says, and the audit compares them.
    static let lots = """
        CREATE TABLE account_2(
          id INTEGER PRIMARY KEY, owner TEXT NOT NULL, kind INTEGER NOT NULL,
          parent INTEGER REFERENCES account, -- a lot's payer
          priority INTEGER NOT NULL DEFAULT 0, expires_us INTEGER, -- of lots: lower first, then earlier expiry
          flags INTEGER NOT NULL DEFAULT 0, -- 1 NO_OVERDRAFT 2 FROZEN 4 CLOSED
          overdraft INTEGER NOT NULL DEFAULT 0 CHECK(overdraft>=0),
          debits INTEGER NOT NULL DEFAULT 0 CHECK(debits>=0), credits INTEGER NOT NULL DEFAULT 0 CHECK(credits>=0),
          uncharged INTEGER NOT NULL DEFAULT 0, -- the part of debits that is no charge: expiry, corrections
          created_us INTEGER NOT NULL, rev INTEGER NOT NULL DEFAULT 1, last_usage INTEGER,
          CHECK(uncharged BETWEEN 0 AND debits),
          CHECK((flags&1)=0 OR credits-debits+overdraft>=0), CHECK((kind=12)=(parent IS NOT NULL))) STRICT;
        INSERT INTO account_2(id, owner, kind, flags, overdraft, debits, credits, created_us, last_usage)
          SELECT id, owner, kind, flags, overdraft, debits, credits, created_us,
            (SELECT max(seq) FROM usage WHERE payer = account.id) FROM account;
        DROP TABLE account;
        ALTER TABLE account_2 RENAME TO account;
        CREATE UNIQUE INDEX account_owner ON account(owner,kind) WHERE parent IS NULL;

        CREATE TABLE transfer_2(
          id INTEGER PRIMARY KEY, usage_seq INTEGER REFERENCES usage, dr INTEGER NOT NULL REFERENCES account,
          cr INTEGER NOT NULL REFERENCES account, amount INTEGER NOT NULL CHECK(amount>0), code INTEGER NOT NULL,
          ref BLOB, -- idempotency of money moves that are not usage
          actor TEXT NOT NULL, ts_us INTEGER NOT NULL, block INTEGER NOT NULL,
          reverses INTEGER REFERENCES transfer, CHECK(dr<>cr)) STRICT;
        INSERT INTO transfer_2 SELECT id, usage_seq, dr, cr, amount, code, ref, actor, ts_us, block, NULL FROM transfer;
        DROP TABLE transfer;
        ALTER TABLE transfer_2 RENAME TO transfer;
        CREATE UNIQUE INDEX transfer_ref ON transfer(ref) WHERE ref IS NOT NULL;
        CREATE UNIQUE INDEX transfer_reverses ON transfer(reverses) WHERE reverses IS NOT NULL;

        DROP TRIGGER usage_ro_u;
        ALTER TABLE usage ADD COLUMN load_cpu_us INTEGER;
        ALTER TABLE usage ADD COLUMN absorbed INTEGER; -- 1: its compute was given from the failure allowance
        ALTER TABLE usage ADD COLUMN replay_of BLOB; -- the invocation whose answer was lost
        ALTER TABLE usage ADD COLUMN prev INTEGER; -- the payer's record before this one
        UPDATE usage SET prev = p.prev
          FROM (SELECT seq, lag(seq) OVER (PARTITION BY payer ORDER BY seq) prev FROM usage) p WHERE p.seq = usage.seq;
        DROP INDEX usage_payer;

        CREATE TABLE hold(
          id INTEGER PRIMARY KEY, invocation BLOB NOT NULL UNIQUE, payer INTEGER NOT NULL REFERENCES account,
          api_key TEXT NOT NULL, algorithm TEXT NOT NULL, version TEXT NOT NULL, algo_version INTEGER NOT NULL,
          wall_us INTEGER NOT NULL, cpu_us INTEGER NOT NULL, amount INTEGER NOT NULL CHECK(amount>=0),
          price_version INTEGER NOT NULL REFERENCES price_book, epoch INTEGER NOT NULL, created_us INTEGER NOT NULL,
          state INTEGER NOT NULL DEFAULT 0 CHECK(state IN(0,1,2))) STRICT; -- open posted voided
        CREATE INDEX hold_open ON hold(id) WHERE state = 0;
        CREATE TABLE idem(
          id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account, key TEXT NOT NULL,
          request BLOB NOT NULL, -- SHA-256 of the request
          invocation BLOB NOT NULL, state INTEGER NOT NULL CHECK(state IN(1,2,3)), -- kept, too large to keep, run again
          status INTEGER, response BLOB, expires_us INTEGER NOT NULL, UNIQUE(account,key)) STRICT;

        """
        + triggers("transfer") + triggers("usage", only: "UPDATE")

    static func triggers(_ table: String, only: String? = nil) -> String {
        ["UPDATE", "DELETE"].filter { only == nil || $0 == only }
            .map { verb in
                let name = "\(table)_ro_\(verb.first.map { $0.lowercased() } ?? "")"
                return
                    "CREATE TRIGGER \(name) BEFORE \(verb) ON \(table) BEGIN SELECT RAISE(ABORT,'append-only'); END;\n"
            }
            .joined()
    }
}
