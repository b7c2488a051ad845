internal import FaasClient

/// How one call's charge came about, for people.
enum Explanation {
    /// Asks for it and prints it; differences end the command with their status.
    static func show(_ id: String, _ connection: ConnectionOptions) async throws {
        let answer = try await connection.withClient { try await $0.explanation(id: id) }
        if connection.json { Output.write(answer.document) } else { Output.write(text(answer.value)) }
        let count = answer.value.differences.count
        guard count == 0 else { throw CommandFailure(differences: count) }
    }

    static func text(_ call: CallExplanation) -> String {
        var facts = FactList()
        facts.add("id", call.usage.id.description)
        facts.add("account", call.usage.account)
        facts.add("algorithm", call.usage.algorithm)
        facts.add("outcome", call.usage.outcome)
        facts.add("block", call.block.map { "\($0.number) of \($0.time), \($0.hash)" })
        var lines = TextTable(.text("LINE"), .number("VALUE"), .text("UNIT"), .number("RECORDED"), .text("HOW"))
        for line in call.lines { lines.add(line.name, line.value, line.unit, line.recorded ?? "-", line.how) }
        var transfers = TextTable(.number("TRANSFER"), .text("FROM"), .text("TO"), .number("CREDITS"), .text("FOR"))
        for transfer in call.transfers {
            let amount = Display.credits(transfer.amountMicrocredits)
            transfers.add("\(transfer.id)", transfer.from, transfer.to, amount, transfer.code)
        }
        let differences = call.differences.map { "DIFFERENCE: \(Terminal.printable($0))\n" }.joined()
        return facts.rendered + "\n" + lines.rendered(empty: "this call cannot be priced again") + "\n"
            + transfers.rendered(empty: "nothing was paid") + differences
    }
}
