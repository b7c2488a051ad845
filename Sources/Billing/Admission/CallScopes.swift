/// Who calls which algorithm, and what that is counted under; made once for many such calls.
public final class CallScopes: Sendable {
    let account: String
    let keyID: String
    let algorithm: String
    /// Canonical texts, the account's first.
    let texts: [String]
    /// Who must have unpaid CPU time left.
    let allowances: [Allowance]

    /// Names the scopes.
    ///
    /// - Parameters:
    ///   - account: who pays.
    ///   - keyID: the API key used.
    ///   - algorithm: `OWNER/NAME`.
    public init(account: String, keyID: String, algorithm: String) {
        (self.account, self.keyID, self.algorithm) = (account, keyID, algorithm)
        texts = QuotaScope.matching(account: account, keyID: keyID, algorithm: algorithm)
        allowances = [
            Allowance(kind: .account, scope: texts[0]),
            Allowance(kind: .author, scope: QuotaScope.author(of: algorithm)),
            Allowance(kind: .pair, scope: texts[3]),
        ]
    }
}
