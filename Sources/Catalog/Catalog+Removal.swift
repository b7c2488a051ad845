internal import SQLite

extension Catalog {
    /// Deletes an algorithm with all its versions, building ones included.
    ///
    /// The name stays with its owner: a later deploy brings the algorithm back and goes on counting versions.
    ///
    /// - Parameters:
    ///   - owner: the owner's name.
    ///   - name: the algorithm's name.
    /// - Throws: `CatalogError` with reason `.notFound`, also when it is deleted already.
    public func deleteAlgorithm(owner: String, name: String) throws(CatalogError) {
        try store.write { (connection) throws(CatalogError) in
            guard let entry = read({ $0.algorithm(owner, name) }), !entry.isDeleted else {
                throw .notFound("algorithm", "algo://\(owner)/\(name)")
            }
            try connection.transaction(to: "delete an algorithm") { () throws(SQLiteError) in
                try connection.run("UPDATE algorithms SET deleted = 1 WHERE id = ?", Value(entry.id))
                try connection.run("UPDATE versions SET deleted = 1 WHERE algorithm = ?", Value(entry.id))
            }
            apply { $0.deleteAlgorithm(entry) }
        }
    }

    /// Failed, deleted and unfinished versions whose files may still lie in the store, oldest first.
    ///
    /// A store key that a building or ready version uses is left out, so its files can be deleted at any time;
    /// afterwards ``didRemoveFiles(of:)`` ends the listing.
    public func versionsToRemove() -> [RemovableVersion] {
        read { $0.removable() }
    }

    /// Records that the files of a version are gone.
    ///
    /// - Parameter ids: ids out of ``versionsToRemove()``; others are ignored.
    /// - Throws: `CatalogError` with reason `.storage`.
    public func didRemoveFiles(of ids: [Int64]) throws(CatalogError) {
        try store.write { (connection) throws(CatalogError) in
            let known = read { state in ids.filter { state.isLeftover($0) } }
            try connection.transaction(to: "record removed files") { () throws(SQLiteError) in
                for id in known {
                    try connection.run("UPDATE versions SET files_removed = 1 WHERE id = ?", Value(id))
                }
            }
            apply { state in known.forEach { state.removeLeftover($0) } }
        }
    }
}
