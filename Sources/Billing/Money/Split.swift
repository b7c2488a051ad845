/// Divides an amount by weights without losing or making a microcredit.
///
/// Every part is rounded down; the units left over go to the largest remainders, earlier parts first among equals.
///
/// - Parameters:
///   - amount: microcredits, not negative.
///   - weights: not negative, with a positive sum.
/// - Returns: one part for each weight; their sum is `amount`.
func split(_ amount: Int64, weights: [Int64]) -> [Int64] {
    let total = weights.reduce(Int128(0)) { $0 + Int128($1) }
    precondition(amount >= 0 && total > 0, "cannot split \(amount) by \(weights)")
    let exact = weights.map { (Int128(amount) * Int128($0)).quotientAndRemainder(dividingBy: total) }
    var parts = exact.map { Int64($0.quotient) }
    let left = amount - parts.reduce(0, +)
    let byRemainder = exact.indices.sorted { (exact[$1].remainder, $0) < (exact[$0].remainder, $1) }
    for index in byRemainder.prefix(Int(left)) { parts[index] += 1 }
    return parts
}
