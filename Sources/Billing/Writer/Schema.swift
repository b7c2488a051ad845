import SQLite

/// The history of the ledger's schema.
///
/// Money is whole microcredits, times are microseconds of Unix time or of duration.
///
/// Reduced to one node; the epoch in `meta` tells the runs of the daemon apart.
enum Schema {
    static let migrations = [
        Migration(number: 1, name: "ledger", sql: tables + appendOnly),
        Migration(number: 2, name: "lots", sql: lots),
        // Written when a grant is given, never by a charge; without it, to look at one account reads all of them.
        Migration(
            number: 3,
            name: "lots by payer",
            sql: "CREATE INDEX account_parent ON account(parent) WHERE parent IS NOT NULL"
        ),
    ]

    private static let tables = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO meta VALUES('epoch', 0);
        CREATE TABLE account(
          id INTEGER PRIMARY KEY, owner TEXT NOT NULL, kind INTEGER NOT NULL,
          flags INTEGER NOT NULL DEFAULT 0, -- 1 NO_OVERDRAFT
          overdraft INTEGER NOT NULL DEFAULT 0 CHECK(overdraft>=0),
          debits INTEGER NOT NULL DEFAULT 0 CHECK(debits>=0), credits INTEGER NOT NULL DEFAULT 0 CHECK(credits>=0),
          created_us INTEGER NOT NULL, UNIQUE(owner,kind),
          CHECK((flags&1)=0 OR credits-debits+overdraft>=0)) STRICT;
        CREATE TABLE price_book(
          version INTEGER PRIMARY KEY, effective_us INTEGER NOT NULL, published_us INTEGER NOT NULL,
          doc TEXT NOT NULL, sha256 BLOB NOT NULL, block INTEGER NOT NULL, CHECK(effective_us>=published_us)) STRICT;
        CREATE TABLE royalty(
          id INTEGER PRIMARY KEY, algo_version INTEGER NOT NULL UNIQUE, algorithm TEXT NOT NULL,
          author INTEGER NOT NULL REFERENCES account, per_call_ucr INTEGER NOT NULL CHECK(per_call_ucr>=0),
          author_bps INTEGER NOT NULL CHECK(author_bps BETWEEN 0 AND 10000),
          fixed_us INTEGER NOT NULL, block INTEGER NOT NULL) STRICT;
        CREATE TABLE usage(
          seq INTEGER PRIMARY KEY, invocation BLOB NOT NULL UNIQUE,
          payer INTEGER NOT NULL REFERENCES account, api_key TEXT NOT NULL,
          algorithm TEXT NOT NULL, version TEXT NOT NULL, algo_version INTEGER NOT NULL, epoch INTEGER NOT NULL,
          start_us INTEGER NOT NULL, wall_us INTEGER NOT NULL, cpu_us INTEGER NOT NULL,
          queue_us INTEGER NOT NULL, load_us INTEGER NOT NULL, warm INTEGER NOT NULL,
          mem_limit INTEGER NOT NULL, mem_peak INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
          granted_us INTEGER NOT NULL, hold_ucr INTEGER NOT NULL, hold_cpu_us INTEGER NOT NULL, -- what was held for it
          billed_wall_us INTEGER NOT NULL, -- clamped so that capture <= hold; the excess is the platform's
          billed_cpu_us INTEGER NOT NULL, outcome INTEGER NOT NULL, policy INTEGER NOT NULL,
          price_version INTEGER NOT NULL REFERENCES price_book,
          compute_ucr INTEGER NOT NULL, royalty_ucr INTEGER NOT NULL, amount_ucr INTEGER NOT NULL,
          ts_us INTEGER NOT NULL, block INTEGER NOT NULL,
          CHECK(amount_ucr=compute_ucr+royalty_ucr), CHECK(amount_ucr>=0), CHECK(amount_ucr<=hold_ucr),
          CHECK(billed_cpu_us<=hold_cpu_us)) STRICT;
        CREATE INDEX usage_payer ON usage(payer, seq);
        CREATE TABLE transfer(
          id INTEGER PRIMARY KEY, usage_seq INTEGER REFERENCES usage, dr INTEGER NOT NULL REFERENCES account,
          cr INTEGER NOT NULL REFERENCES account, amount INTEGER NOT NULL CHECK(amount>0), code INTEGER NOT NULL,
          ref BLOB UNIQUE, -- idempotency of money moves that are not usage
          actor TEXT NOT NULL, ts_us INTEGER NOT NULL, block INTEGER NOT NULL, CHECK(dr<>cr)) STRICT;
        CREATE UNIQUE INDEX transfer_once ON transfer(usage_seq,code,dr,cr)
          WHERE usage_seq IS NOT NULL AND code BETWEEN 200 AND 299;
        CREATE TABLE admin_log(
          id INTEGER PRIMARY KEY, ts_us INTEGER NOT NULL, actor TEXT NOT NULL, verb TEXT NOT NULL,
          subject TEXT NOT NULL, before TEXT, after TEXT, block INTEGER NOT NULL) STRICT;
        CREATE TABLE block(
          seq INTEGER PRIMARY KEY, prev BLOB NOT NULL, hash BLOB NOT NULL UNIQUE,
          first_transfer INTEGER, last_transfer INTEGER, first_usage INTEGER, last_usage INTEGER,
          n INTEGER NOT NULL, sum_amount INTEGER NOT NULL, ts_us INTEGER NOT NULL) STRICT;
        CREATE TABLE quota(
          scope TEXT NOT NULL, metric TEXT NOT NULL, limit_ INTEGER NOT NULL CHECK(limit_>=0), rev INTEGER NOT NULL,
          PRIMARY KEY(scope,metric)) STRICT, WITHOUT ROWID;
        CREATE TABLE quota_used(
          scope TEXT NOT NULL, metric TEXT NOT NULL, period INTEGER NOT NULL, used INTEGER NOT NULL CHECK(used>=0),
          PRIMARY KEY(scope,metric,period)) STRICT, WITHOUT ROWID;

        """

    private static let appendOnly = ["price_book", "royalty", "usage", "transfer", "admin_log", "block"]
        .map { triggers($0) }
        .joined()
}
