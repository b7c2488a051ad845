internal import SQLite

/// The history of `catalog.db`; a released step never changes.
enum CatalogSchema {
    static let migrations = [
        Migration(
            number: 1,
            name: "users, keys, algorithms, versions",
            sql: """
                CREATE TABLE users(
                  id INTEGER PRIMARY KEY,
                  name TEXT NOT NULL,
                  name_folded TEXT NOT NULL UNIQUE,
                  created_us INTEGER NOT NULL) STRICT;
                CREATE TABLE keys(
                  id TEXT PRIMARY KEY,
                  user INTEGER NOT NULL REFERENCES users(id),
                  kind TEXT NOT NULL CHECK (kind IN ('algorithm', 'management', 'admin')),
                  label TEXT NOT NULL,
                  mask TEXT NOT NULL,
                  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
                  created_us INTEGER NOT NULL,
                  revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))) STRICT, WITHOUT ROWID;
                CREATE TABLE algorithms(
                  id INTEGER PRIMARY KEY,
                  owner INTEGER NOT NULL REFERENCES users(id),
                  name TEXT NOT NULL,
                  name_folded TEXT NOT NULL,
                  created_us INTEGER NOT NULL,
                  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
                  UNIQUE (owner, name_folded)) STRICT;
                CREATE TABLE versions(
                  id INTEGER PRIMARY KEY,
                  algorithm INTEGER NOT NULL REFERENCES algorithms(id),
                  major INTEGER NOT NULL,
                  minor INTEGER NOT NULL,
                  revision INTEGER NOT NULL,
                  hash TEXT NOT NULL CHECK (length(hash) = 40),
                  store_key TEXT NOT NULL CHECK (length(store_key) = 64),
                  runtime TEXT NOT NULL,
                  public INTEGER NOT NULL CHECK (public IN (0, 1)),
                  royalty_microcredits INTEGER NOT NULL CHECK (royalty_microcredits >= 0),
                  memory_bytes INTEGER NOT NULL,
                  cpus INTEGER NOT NULL,
                  timeout_seconds INTEGER NOT NULL,
                  isolation TEXT NOT NULL CHECK (isolation IN ('caller', 'call', 'shared')),
                  pids_max INTEGER NOT NULL,
                  tmp_bytes INTEGER NOT NULL,
                  created_us INTEGER NOT NULL,
                  state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'failed')),
                  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
                  files_removed INTEGER NOT NULL DEFAULT 0 CHECK (files_removed IN (0, 1))) STRICT;
                CREATE UNIQUE INDEX versions_number ON versions(algorithm, major, minor, revision)
                  WHERE state <> 'failed';
                """
        ),
        Migration(
            number: 2,
            name: "how workers of a version come to be",
            sql: """
                ALTER TABLE versions ADD COLUMN start TEXT NOT NULL DEFAULT 'fork'
                  CHECK (start IN ('fork', 'exec', 'template'));
                """
        ),
    ]
}
