public import Billing
public import Catalog

/// Who calls which version, and what follows from it: made once for all calls of a connection that ask for the same.
public final class CallParties: Sendable {
    /// The account that pays, and in whose name the code runs.
    public let account: String
    /// The API key used.
    public let keyID: String
    /// What is called.
    public let version: AlgorithmVersion
    /// The version as users see it.
    let number: String
    /// What its quotas are counted under.
    let scopes: CallScopes
    /// Which workers may serve it.
    let key: PoolKey

    /// Collects the parts.
    public init(account: String, keyID: String, version: AlgorithmVersion) {
        (self.account, self.keyID, self.version) = (account, keyID, version)
        number = version.number.description
        scopes = CallScopes(account: account, keyID: keyID, algorithm: version.algorithm)
        key = PoolKey(versionID: version.id, account: version.isolation == .shared ? "" : account)
    }
}
