import Billing
import Catalog
import HTTPTypes
import Hummingbird

extension ManageRoutes {
    private struct NewUser: Decodable { var name: String }
    private struct UserBody: Encodable {
        var name: String
        var created: String

        init(_ user: User) {
            name = user.name
            created = JSONReply.date(user.createdMicroseconds)
        }
    }
    private struct NewKey: Decodable {
        var user: String
        var kind: String
        var label: String?
    }
    private struct KeyBody: Encodable {
        var id: String
        var user: String
        var kind: String
        var label: String
        var mask: String
        var created: String
        var revoked: Bool

        init(_ key: ApiKey) {
            id = key.id
            user = key.user
            kind = key.kind.rawValue
            label = key.label
            mask = key.mask
            created = JSONReply.date(key.createdMicroseconds)
            revoked = key.isRevoked
        }
    }

    func addUsers(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/users",
            use: administrator { request, _, _ in
                let wanted = try await JSONReply.read(NewUser.self, request)
                let user = try catalog.createUser(wanted.name)
                try await ledger.openAccount(user.name)
                return JSONReply.make(.created, ["name": user.name])
            }
        )
        router.get(
            "/v1/manage/users",
            use: administrator { _, _, _ in
                JSONReply.results(catalog.users().map(UserBody.init))
            }
        )
        router.get(
            "/v1/manage/users/:name",
            use: administrator { _, context, _ in
                JSONReply.make(.ok, UserBody(try user(context.parameters.get("name") ?? "")))
            }
        )
    }

    func addKeys(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/keys",
            use: administrator { request, _, _ in
                let wanted = try await JSONReply.read(NewKey.self, request)
                guard let kind = KeyKind(rawValue: wanted.kind) else {
                    throw ManageProblem.invalid("kind", wanted.kind, "algorithm, management or admin")
                }
                let (key, secret) = try catalog.createKey(user: wanted.user, kind: kind, label: wanted.label ?? "")
                return JSONReply.make(.created, ["id": key.id, "key": secret, "kind": key.kind.rawValue])
            }
        )
        router.get(
            "/v1/manage/keys",
            use: administrator { request, _, _ in
                let keys = try catalog.keys(user: request.query("user"))
                return JSONReply.results(keys.map(KeyBody.init))
            }
        )
        router.delete(
            "/v1/manage/keys/:id",
            use: administrator { _, context, _ in
                struct Revoked: Encodable {
                    var id: String
                    var revoked = true
                }
                return JSONReply.make(
                    .ok,
                    Revoked(id: try catalog.revokeKey(id: context.parameters.get("id") ?? "").id)
                )
            }
        )
    }
}
