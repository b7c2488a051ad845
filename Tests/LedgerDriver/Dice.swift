import Billing

/// Numbers that depend on a seed alone, on every machine (SplitMix64).
struct Dice: Sendable {
    private var state: UInt64

    /// - Parameters:
    ///   - seed: printed by whoever chose it.
    ///   - stream: tells apart the dice of several tasks.
    init(seed: Int64, stream: Int64 = 0) {
        state = UInt64(bitPattern: seed) &+ UInt64(bitPattern: stream) &* 0xD134_2543_DE82_EF95
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int64) -> Int64 { Int64(next() % UInt64(bound)) }

    mutating func chance(percent: Int64) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(below(Int64(choices.count)))] }

    /// An identifier in the form of a version 7 UUID; the same for the same dice.
    mutating func invocation() -> InvocationID {
        var bytes = [next(), next()].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * $0)) } }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        guard let id = InvocationID(bytes: bytes) else { preconditionFailure("16 bytes are an identifier") }
        return id
    }
}
