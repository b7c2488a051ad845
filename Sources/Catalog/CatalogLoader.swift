internal import SQLite

/// Reads the whole catalog into memory, once, when it is opened.
enum CatalogLoader {
    private static let versionsSQL = """
        SELECT v.id, u.name, a.name, v.major, v.minor, v.revision, v.hash, v.store_key, v.runtime, v.public,
               v.royalty_microcredits, v.memory_bytes, v.cpus, v.timeout_seconds, v.isolation, v.pids_max,
               v.tmp_bytes, v.created_us, v.state, v.deleted, v.files_removed, v.start
        FROM versions v JOIN algorithms a ON a.id = v.algorithm JOIN users u ON u.id = a.owner ORDER BY v.id
        """

    static func load(_ connection: Connection) throws(CatalogError) -> CatalogState {
        try connection.transaction(to: "load") { () throws(SQLiteError) in
            var state = CatalogState()
            try users(connection).forEach { state.add($0) }
            try keys(connection).forEach { state.add($0.key, digest: $0.digest) }
            try algorithms(connection).forEach { state.add($0) }
            try versions(connection).forEach { place($0, in: &state) }
            return state
        }
    }

    private static func users(_ connection: Connection) throws(SQLiteError) -> [User] {
        try connection.query("SELECT id, name, created_us FROM users ORDER BY id") { (row) throws(SQLiteError) in
            User(name: row.string(1), createdMicroseconds: row.int64(2), id: row.int64(0))
        }
    }

    private static func keys(_ connection: Connection) throws(SQLiteError) -> [(key: ApiKey, digest: KeyDigest)] {
        let sql = """
            SELECT k.id, u.name, k.kind, k.label, k.mask, k.created_us, k.revoked, k.digest
            FROM keys k JOIN users u ON u.id = k.user ORDER BY k.created_us, k.id
            """
        return try connection.query(sql) { (row) throws(SQLiteError) in
            let key = ApiKey(
                id: row.string(0),
                user: row.string(1),
                // The table's CHECK admits nothing else; the weakest kind is the safe answer to a damaged row.
                kind: KeyKind(rawValue: row.string(2)) ?? .algorithm,
                label: row.string(3),
                mask: row.string(4),
                createdMicroseconds: row.int64(5),
                isRevoked: row.bool(6)
            )
            return (key, KeyDigest(stored: row.bytes(7)))
        }
    }

    private static func algorithms(_ connection: Connection) throws(SQLiteError) -> [AlgorithmEntry] {
        let sql = """
            SELECT a.id, u.name, a.name, a.created_us, a.deleted
            FROM algorithms a JOIN users u ON u.id = a.owner ORDER BY a.id
            """
        return try connection.query(sql) { (row) throws(SQLiteError) in
            var entry = AlgorithmEntry(
                id: row.int64(0),
                owner: row.string(1),
                name: row.string(2),
                createdMicroseconds: row.int64(3)
            )
            entry.isDeleted = row.bool(4)
            return entry
        }
    }

    private static func versions(_ connection: Connection) throws(SQLiteError) -> [StoredVersion] {
        try connection.query(versionsSQL) { (row) throws(SQLiteError) in
            StoredVersion(version: version(row), isDeleted: row.bool(19), areFilesRemoved: row.bool(20))
        }
    }

    private static func version(_ row: borrowing Statement) -> AlgorithmVersion {
        var specification = VersionSpecification(hash: row.string(6), storeKey: row.string(7))
        specification.runtime = row.string(8)
        specification.isPublic = row.bool(9)
        specification.royaltyMicrocredits = row.int64(10)
        specification.memoryBytes = row.int64(11)
        specification.cpus = row.int(12)
        specification.timeoutSeconds = row.int(13)
        // The strictest isolation and start, and no calls, for values that the table's CHECK excludes.
        specification.isolation = Isolation(rawValue: row.string(14)) ?? .call
        specification.start = StartMode(rawValue: row.string(21)) ?? .exec
        specification.pidsMax = row.int(15)
        specification.tmpBytes = row.int64(16)
        return AlgorithmVersion(
            id: row.int64(0),
            owner: row.string(1),
            name: row.string(2),
            number: SemanticVersion(row.int(3), row.int(4), row.int(5)),
            specification: specification,
            createdMicroseconds: row.int64(17),
            state: VersionState(rawValue: row.string(18)) ?? .failed
        )
    }

    private static func place(_ stored: StoredVersion, in state: inout CatalogState) {
        let version = stored.version
        guard stored.isDeleted || version.state == .failed else { return state.add(version) }
        if version.state != .failed {
            state.algorithms[CatalogState.algorithmKey(version.owner, version.name)]?.useNumber(version.number)
        }
        if !stored.areFilesRemoved { state.addLeftover(version.id, storeKey: version.storeKey) }
    }
}

private struct StoredVersion {
    let version: AlgorithmVersion
    let isDeleted: Bool
    let areFilesRemoved: Bool
}
