import NIOCore

/// Whether the parser of a connection stands between two requests, so that the next byte is the first of one: pure.
///
/// The gate passes bytes on so that this can be known: a head to its very end, a body of known length to its very end.
/// After anything else, a body in chunks for example, nobody knows any more, and everything is the parser's.
struct RequestBoundary: Sendable, Equatable {
    private enum Place: Sendable, Equatable {
        case between
        /// In a head, of whose end so many bytes have been passed on.
        case head(matched: Int)
        /// Behind a head; what follows it the tally knows.
        case behindHead
        case unknown
    }

    private var place = Place.between

    /// Whether the next byte is the first of a request.
    var isBetween: Bool { place == .between }
    /// Whether it never will be known again.
    var isUnknown: Bool { place == .unknown }

    /// How many of some bytes may be passed on at once, at most so many.
    ///
    /// - Parameters:
    ///   - bytes: the next bytes of the connection.
    ///   - most: what the tally lets through.
    /// - Returns: a count of bytes, to the end of a head at most.
    func sliceLength(_ bytes: UnsafeRawBufferPointer, most: Int) -> Int {
        let most = min(most, bytes.count)
        switch place {
        case .between, .head: return headEnd(bytes, most)?.length ?? most
        case .behindHead, .unknown: return most
        }
    }

    /// So many bytes were passed on; then the parser was here.
    mutating func passed(_ bytes: UnsafeRawBufferPointer, _ tally: RequestTally) {
        switch place {
        case .between, .head:
            guard let end = headEnd(bytes, bytes.count) else { return place = .head(matched: matched(bytes)) }
            let isHere = end.length == bytes.count && tally.unanswered > 0
            place = isHere ? .behindHead : .unknown
        case .behindHead, .unknown: break
        }
        settle(tally)
    }

    /// Something was answered, or a part of a request came.
    mutating func settle(_ tally: RequestTally) {
        guard place == .behindHead else { return }
        if !tally.isInBody { return place = .between }
        // In chunks: where it ends is known to the parser only.
        if tally.bodyBytesLeft == 0 { place = .unknown }
    }

    private static let end: [UInt8] = [13, 10, 13, 10]

    private func headEnd(_ bytes: UnsafeRawBufferPointer, _ most: Int) -> (length: Int, Bool)? {
        var matched = matchedBefore
        for index in 0..<most {
            matched = Self.step(matched, bytes[index])
            if matched == Self.end.count { return (index + 1, true) }
        }
        return nil
    }

    private func matched(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.reduce(matchedBefore) { Self.step($0, $1) }
    }

    private var matchedBefore: Int { if case .head(let matched) = place { matched } else { 0 } }

    private static func step(_ matched: Int, _ byte: UInt8) -> Int {
        if byte == end[matched] { return matched + 1 }
        return byte == end[0] ? 1 : 0
    }
}
