import Testing

@testable import Billing

@Suite struct PriceBookTests {
    private func randomBook(_ random: inout SeededGenerator) throws -> PriceBook {
        try PriceBook(
            computePicocreditsPerMicrosecond: random.amount(below: 40),
            incrementMicroseconds: max(1, random.amount(below: 20)),
            perCallMicrocredits: random.amount(below: 30),
            feeBasisPoints: Int64.random(in: 0...10_000, using: &random)
        )
    }

    @Test func `a charge is rounded once, downwards`() throws {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let book = try randomBook(&random)
            let (wall, royalty) = (random.amount(below: 40), random.amount(below: 40))
            let charge = book.charge(
                outcome: .ok,
                wall: .microseconds(wall),
                royalty: Microcredits(rawValue: royalty)
            )
            let step = Int128(book.incrementMicroseconds)
            let quantity = (Int128(wall) + step - 1) / step * step
            let exact =
                quantity * Int128(book.computePicocreditsPerMicrosecond) + Int128(book.perCallMicrocredits) * 1_000_000
            let room = Int128(Microcredits.maximum.rawValue - royalty)
            let expected = min(exact / 1_000_000, room)
            #expect(Int128(charge.compute.rawValue) == expected, "\(book) \(wall) \(royalty)")
            #expect(charge.royalty.rawValue == royalty)
            #expect(Int128(charge.billedMicroseconds) == quantity)
        }
    }

    @Test func `the longest wall is paid for, and one increment more is not`() throws {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let book = try randomBook(&random)
            let amount = Microcredits(rawValue: random.amount(below: 45))
            let royalty = Microcredits(rawValue: random.amount(below: 30))
            guard let wall = book.longestWall(for: amount, royalty: royalty) else {
                #expect(book.maximumCharge(wall: .zero, royalty: royalty) > amount, "\(book) \(amount) \(royalty)")
                continue
            }
            #expect(book.maximumCharge(wall: wall, royalty: royalty) <= amount, "\(book) \(amount) \(royalty)")
            let longer = wall + .microseconds(book.incrementMicroseconds)
            guard longer < .microseconds(wallMicrosecondsMax) else { continue }
            #expect(book.maximumCharge(wall: longer, royalty: royalty) > amount, "\(book) \(amount) \(royalty)")
        }
    }

    @Test func `no outcome costs more than the maximum, which grows with time`() throws {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let book = try randomBook(&random)
            let walls = [random.amount(below: 53), random.amount(below: 53)].sorted()
            let royalty = Microcredits(rawValue: random.amount(below: 53))
            let limit = book.maximumCharge(wall: .microseconds(walls[1]), royalty: royalty)
            #expect(limit <= .maximum)
            for outcome in Outcome.allCases {
                let charge = book.charge(outcome: outcome, wall: .microseconds(walls[0]), royalty: royalty)
                #expect(charge.amount <= limit, "\(book) \(outcome) \(walls) \(royalty)")
            }
        }
    }

    @Test(arguments: Outcome.allCases)
    func `who pays is table 1D`(outcome: Outcome) {
        let charge = PriceBook.standard.charge(
            outcome: outcome,
            wall: .microseconds(1500),
            royalty: Microcredits(rawValue: 7)
        )
        let paysCompute: Set<Outcome> = [.ok, .inputError, .timeoutCaller, .canceled, .ceiling]
        #expect(charge.compute.rawValue == (paysCompute.contains(outcome) ? 2000 : 0))
        #expect(charge.royalty.rawValue == (outcome == .ok ? 7 : 0))
    }

    @Test(arguments: [(0, 0), (1, 1000), (999, 1000), (1000, 1000), (1001, 2000)] as [(Int64, Int64)])
    func `time is charged by the started millisecond, none for none`(wall: Int64, billed: Int64) {
        let charge = PriceBook.standard.charge(outcome: .ok, wall: .microseconds(wall), royalty: .zero)
        #expect(charge.billedMicroseconds == billed)
        #expect(charge.amount.rawValue == billed)
        let started = PriceBook.standard.charge(outcome: .ok, wall: .nanoseconds(wall * 1000 + 1), royalty: .zero)
        #expect(started.billedMicroseconds == wall / 1000 * 1000 + 1000)
    }

    @Test func `a book is read back from its document`() throws {
        var random = SeededGenerator()
        for _ in 0..<100 {
            let book = try randomBook(&random)
            #expect(PriceBook(document: book.document) == book)
        }
        #expect(PriceBook(document: "{}") == nil)
    }

    @Test func `prices out of range are refused`() {
        #expect(throws: BillingError.self) { try PriceBook(computePicocreditsPerMicrosecond: -1) }
        #expect(throws: BillingError.self) { try PriceBook(incrementMicroseconds: 0) }
        #expect(throws: BillingError.self) { try PriceBook(perCallMicrocredits: 1 << 53) }
        #expect(throws: BillingError.self) { try PriceBook(feeBasisPoints: 10_001) }
        #expect(throws: Never.self) { try PriceBook(feeBasisPoints: 10_000) }
    }

    @Test func `outcome names are stable, lower case and unlike each other`() {
        #expect(Set(Outcome.allCases.map(\.name)).count == Outcome.allCases.count)
        #expect(Outcome.allCases.map(\.rawValue) == Array(0...17))
        #expect(Outcome.timeoutCaller.name == "timeout-caller")
    }
}
