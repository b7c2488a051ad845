import Testing

@testable import Billing

@Suite struct MicrocreditsTests {
    @Test(arguments: [
        ("0", 0), ("12.5", 12_500_000), ("0.000001", 1), ("1", 1_000_000), ("007", 7_000_000),
        ("9007199254.740991", 9_007_199_254_740_991), ("9007199254.740990", 9_007_199_254_740_990),
    ])
    func `credits are read to the microcredit`(text: String, value: Int) throws {
        #expect(try Microcredits(credits: text).rawValue == Int64(value))
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1 ", "1.0000000", "9007199254.740992", "١", "0x1", "1,5",
        "1.2.3",
        "99999999999999999999999999999999", "999999999999999999999999999999999",
    ])
    func `other texts are refused with the rule`(text: String) {
        let error = #expect(throws: BillingError.self) { try Microcredits(credits: text) }
        #expect(error?.field == "credits")
        #expect(error?.rule.contains("9007199254.740991") == true)
    }

    @Test func `what is printed is read back`() throws {
        var random = SeededGenerator()
        for _ in 0..<10_000 {
            let amount = Microcredits(rawValue: random.amount(below: 53))
            #expect(try Microcredits(credits: amount.description) == amount)
        }
        #expect(Microcredits(rawValue: -1_500_000).description == "-1.5")
    }
}

@Suite struct SplitTests {
    @Test func `parts add up, none is negative, and none is a whole unit away from its exact share`() {
        var random = SeededGenerator()
        for _ in 0..<50_000 {
            let amount = random.amount(below: 62)
            var weights = (0..<Int.random(in: 1...6, using: &random)).map { _ in random.amount(below: 40) }
            weights[0] += 1
            let total = weights.reduce(Int128(0)) { $0 + Int128($1) }
            let parts = split(amount, weights: weights)
            #expect(parts.reduce(0, +) == amount, "\(amount) by \(weights)")
            for (part, weight) in zip(parts, weights) {
                let error = Int128(part) * total - Int128(amount) * Int128(weight)
                #expect(part >= 0 && error.magnitude < total.magnitude, "\(amount) by \(weights): \(parts)")
            }
        }
    }

    @Test(
        arguments: [(0, [0, 0]), (1, [1, 0]), (2, [1, 1]), (3, [2, 1]), (10, [7, 3]), (5, [4, 1])] as [(Int64, [Int64])]
    )
    func `seventy to thirty, the larger remainder first and the author first among equals`(
        amount: Int64,
        parts: [Int64]
    ) {
        #expect(split(amount, weights: [7000, 3000]) == parts)
    }
}

@Suite struct InvocationIDTests {
    @Test func `an identifier is read back from its text and its bytes`() throws {
        var random = SeededGenerator()
        for _ in 0..<1000 {
            let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
            let id = try #require(InvocationID(bytes: bytes))
            #expect(id.bytes == bytes)
            #expect(InvocationID(id.description) == id)
            #expect(InvocationID(id.description.uppercased()) == id)
        }
    }

    @Test func `it is a version 7 identifier and later ones sort after earlier ones`() async throws {
        let first = InvocationID()
        try await Task.sleep(for: .milliseconds(3))
        let second = InvocationID()
        #expect(first < second)
        #expect(first.bytes[6] >> 4 == 7 && first.bytes[8] >> 6 == 2)
        #expect(Array(first.description)[14] == "7")
    }

    @Test func `its forms say the same, and random numbers are given out once`() async {
        let id = InvocationID()
        #expect(InvocationID(bytes: id.bytes) == id && InvocationID(id.description) == id)
        let numbers = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<8 { group.addTask { (0..<10_000).map { _ in Entropy.next() } } }
            return await group.reduce(into: Set<UInt64>()) { $0.formUnion($1) }
        }
        #expect(numbers.count == 80_000)
    }

    @Test(arguments: ["", "0197", "01970000000070008000000000000000", "0197g000-0000-7000-8000-000000000000"])
    func `other texts are none`(text: String) {
        #expect(InvocationID(text) == nil)
    }
}
