import Foundation

/// What a call's path names: `OWNER/NAME` or `OWNER/NAME/SELECTOR`.
///
/// Clients put slashes where they like: behind the name, twice, or as `%2F`.
struct CallTarget: Sendable, Equatable {
    /// The parts of a path before the algorithm's name.
    static let prefix = ["v1", "algo"]

    var owner: String
    var name: String
    var selector: String?

    /// `OWNER/NAME/SELECTOR` as it was asked for.
    var reference: String {
        ([owner, name] + [selector].compactMap(\.self)).filter { !$0.isEmpty }.joined(separator: "/")
    }

    /// Reads the path of a request, percent signs and all; what has no sense here names nothing that exists.
    init(path: String) {
        var parts = (path.removingPercentEncoding ?? path).split(separator: "/").map(String.init)
        if parts.starts(with: Self.prefix) { parts.removeFirst(Self.prefix.count) }
        owner = parts.first ?? ""
        name = parts.count > 1 ? parts[1] : ""
        selector = parts.count > 2 ? parts[2...].joined(separator: "/") : nil
    }
}
