import SQLite

/// The figures of one usage record, without its texts.
struct UsageRow: Sendable {
    let sequence: Int64
    let payer: Int64
    let version: Int64
    let wall: Int64
    let cpu: Int64
    let granted: Int64
    let hold: Int64
    let holdCPU: Int64
    let billedWall: Int64
    let billedCPU: Int64
    let outcome: Int64
    let policy: Int64
    let priceVersion: Int64
    let compute: Int64
    let royalty: Int64
    let amount: Int64
    let time: Int64
    let block: Int64
    let loadCPU: Int64
    /// Whether the failure allowance, or the call that it repeats, paid for it.
    let isAbsorbed: Bool
    let isReplay: Bool
    /// The payer's record before this one.
    let previous: Int64

    /// Where the columns stand in a statement's rows.
    struct Columns {
        let sequence, invocation, payer, key, algorithm, version, wall, cpu, granted, hold, holdCPU, billedWall,
            billedCPU, outcome, policy, priceVersion, compute, royalty, amount, time, block, loadCPU,
            absorbed, replayOf, previous: Int32

        init(_ row: borrowing Statement) throws(SQLiteError) {
            loadCPU = try row.column("load_cpu_us")
            absorbed = try row.column("absorbed")
            replayOf = try row.column("replay_of")
            previous = try row.column("prev")
            sequence = try row.column("seq")
            invocation = try row.column("invocation")
            payer = try row.column("payer")
            key = try row.column("api_key")
            algorithm = try row.column("algorithm")
            version = try row.column("algo_version")
            wall = try row.column("wall_us")
            cpu = try row.column("cpu_us")
            granted = try row.column("granted_us")
            hold = try row.column("hold_ucr")
            holdCPU = try row.column("hold_cpu_us")
            billedWall = try row.column("billed_wall_us")
            billedCPU = try row.column("billed_cpu_us")
            outcome = try row.column("outcome")
            policy = try row.column("policy")
            priceVersion = try row.column("price_version")
            compute = try row.column("compute_ucr")
            royalty = try row.column("royalty_ucr")
            amount = try row.column("amount_ucr")
            time = try row.column("ts_us")
            block = try row.column("block")
        }
    }

    init(_ row: borrowing RowBytes, _ columns: Columns) {
        sequence = row.integer(columns.sequence)
        payer = row.integer(columns.payer)
        version = row.integer(columns.version)
        wall = row.integer(columns.wall)
        cpu = row.integer(columns.cpu)
        granted = row.integer(columns.granted)
        hold = row.integer(columns.hold)
        holdCPU = row.integer(columns.holdCPU)
        billedWall = row.integer(columns.billedWall)
        billedCPU = row.integer(columns.billedCPU)
        outcome = row.integer(columns.outcome)
        policy = row.integer(columns.policy)
        priceVersion = row.integer(columns.priceVersion)
        compute = row.integer(columns.compute)
        royalty = row.integer(columns.royalty)
        amount = row.integer(columns.amount)
        time = row.integer(columns.time)
        block = row.integer(columns.block)
        loadCPU = row.integer(columns.loadCPU)
        isAbsorbed = row.integer(columns.absorbed) != 0
        isReplay = row.integer(columns.replayOf) != 0
        previous = row.integer(columns.previous)
    }

    /// CPU time that nobody paid for, and whose allowance it is; policy 1 did not count it.
    var unpaid: (microseconds: Int64, by: Allowance.Payers)? {
        guard
            policy == PayPolicy.two.rawValue, let outcome = Outcome(rawValue: Int(outcome)), outcome != .platformFault
        else { return nil }
        if isReplay { return (cpu &+ loadCPU, .account) }
        let isPaid = PayPolicy.two.callerPaysCompute(outcome, isAbsorbed: isAbsorbed)
        return isPaid ? (loadCPU, .author) : (cpu &+ loadCPU, .everyone)
    }
}

/// One transfer, without its texts.
struct TransferRow: Sendable {
    let id: Int64
    let usage: Int64?
    let debit: Int64
    let credit: Int64
    let amount: Int64
    let code: Int64
    let time: Int64
    let block: Int64
    /// Whose account is debited: a grant is its caller's.
    var payer: Int64

    /// Where the columns stand in a statement's rows.
    struct Columns {
        let id, usage, debit, credit, amount, code, time, block: Int32

        init(_ row: borrowing Statement) throws(SQLiteError) {
            id = try row.column("id")
            usage = try row.column("usage_seq")
            debit = try row.column("dr")
            credit = try row.column("cr")
            amount = try row.column("amount")
            code = try row.column("code")
            time = try row.column("ts_us")
            block = try row.column("block")
        }
    }

    init(_ row: borrowing RowBytes, _ columns: Columns) {
        id = row.integer(columns.id)
        // Null reads as 0, which is no sequence.
        let usage = row.integer(columns.usage)
        self.usage = usage == 0 ? nil : usage
        debit = row.integer(columns.debit)
        payer = debit
        credit = row.integer(columns.credit)
        amount = row.integer(columns.amount)
        code = row.integer(columns.code)
        time = row.integer(columns.time)
        block = row.integer(columns.block)
    }
}
