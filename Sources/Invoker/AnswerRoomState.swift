/// Whose answers take how much memory, and who waits for room: pure decisions, apart from their effects.
///
/// Room is bounded in all and for each account. Accounts that wait are served in turn, each one's calls in the order in which
/// they came; nobody waits behind an account that has used up its own share.
struct AnswerRoomState: Sendable {
    /// What a call gets.
    enum Decision: Sendable, Equatable {
        case granted
        case wait(ticket: Int)
        case refused(waiting: Int)
    }

    /// How much of which bound is taken.
    struct Shortage: Sendable, Equatable {
        /// Whether the account's own share is what binds, and not the room of all.
        var isOwn: Bool
        var limitBytes: Int
        var takenBytes: Int
    }

    private struct Waiting: Sendable {
        var ticket: Int
        var account: String
        var bytes: Int
    }

    private let bytesMax: Int
    private let accountBytesMax: Int
    private let waitersMax: Int
    private(set) var takenBytes = 0
    private var byAccount: [String: Int] = [:]
    /// In order of arrival.
    private var waiting: [Waiting] = []
    private var nextTicket = 0
    /// When each account got room last, in servings; of accounts that have some.
    private var turns: [String: Int] = [:]
    private var servings = 0

    init(bytesMax: Int, accountBytesMax: Int, waitersMax: Int) {
        self.bytesMax = bytesMax
        self.accountBytesMax = accountBytesMax
        self.waitersMax = waitersMax
    }

    /// A call wants room for its answer.
    mutating func take(_ bytes: Int, _ account: String) -> Decision {
        precondition(bytes <= accountBytesMax, "\(bytes) bytes never fit into a share of \(accountBytesMax)")
        if takeNow(bytes, account) { return .granted }
        guard waiting.count < waitersMax else { return .refused(waiting: waiting.count) }
        nextTicket += 1
        waiting.append(Waiting(ticket: nextTicket, account: account, bytes: bytes))
        return .wait(ticket: nextTicket)
    }

    /// Whether a call could have its room at once; then it has it.
    mutating func takeNow(_ bytes: Int, _ account: String) -> Bool {
        let isBehind = waiting.contains { $0.account == account }
        guard !isBehind, fits(bytes, account) else { return false }
        serve(account, bytes)
        return true
    }

    /// Room is free again; the tickets of those who get it.
    mutating func give(_ bytes: Int, _ account: String) -> [Int] {
        change(account, by: -bytes)
        var served: [Int] = []
        while let next = nextInTurn {
            waiting.removeAll { $0.ticket == next.ticket }
            serve(next.account, next.bytes)
            served.append(next.ticket)
        }
        return served
    }

    /// Of the first calls of all accounts that fit, the one of the account that was served longest ago.
    private var nextInTurn: Waiting? {
        var seen: Set<String> = []
        let firsts = waiting.filter { seen.insert($0.account).inserted && fits($0.bytes, $0.account) }
        return firsts.min { (turns[$0.account] ?? 0, $0.ticket) < (turns[$1.account] ?? 0, $1.ticket) }
    }

    private mutating func serve(_ account: String, _ bytes: Int) {
        change(account, by: bytes)
        servings += 1
        turns[account] = servings
    }

    /// Nobody waits with this ticket any more; false when it was served before.
    mutating func abandon(_ ticket: Int) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Why an account has no room for so many bytes.
    func shortage(_ bytes: Int, _ account: String) -> Shortage {
        let own = byAccount[account, default: 0]
        return own + bytes > accountBytesMax
            ? Shortage(isOwn: true, limitBytes: accountBytesMax, takenBytes: own)
            : Shortage(isOwn: false, limitBytes: bytesMax, takenBytes: takenBytes)
    }

    private func fits(_ bytes: Int, _ account: String) -> Bool {
        takenBytes + bytes <= bytesMax && byAccount[account, default: 0] + bytes <= accountBytesMax
    }

    private mutating func change(_ account: String, by bytes: Int) {
        takenBytes += bytes
        let own = byAccount[account, default: 0] + bytes
        precondition(own >= 0, "\(account) gives back \(-bytes) bytes and had \(own - bytes)")
        byAccount[account] = own == 0 ? nil : own
        if own == 0 { turns[account] = nil }
    }
}
