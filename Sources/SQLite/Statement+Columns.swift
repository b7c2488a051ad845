import CSQLite

extension Statement {
    /// How many columns a row has.
    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// Whether a column of the current row is null.
    public func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// Reads an integer column of the current row; null reads as 0.
    public func int64(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    /// Reads an integer column of the current row as `Int`; null reads as 0.
    public func int(_ column: Int32) -> Int {
        Int(sqlite3_column_int64(handle, column))
    }

    /// Reads an integer column of the current row, or nil when it is null.
    public func optionalInt64(_ column: Int32) -> Int64? {
        isNull(column) ? nil : int64(column)
    }

    /// Reads a boolean column of the current row: anything but 0 and null is true.
    public func bool(_ column: Int32) -> Bool {
        sqlite3_column_int64(handle, column) != 0
    }

    /// Reads a text column of the current row; null reads as the empty string.
    public func string(_ column: Int32) -> String {
        // The pointer first, the count second: the other order may convert the text in between (sqlite3_column_blob).
        guard let text = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// Reads a text column of the current row, or nil when it is null.
    public func optionalString(_ column: Int32) -> String? {
        isNull(column) ? nil : string(column)
    }

    /// Reads a blob column of the current row; null reads as no bytes.
    public func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(sqlite3_column_bytes(handle, column))
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Reads a blob column of the current row, or nil when it is null.
    public func optionalBytes(_ column: Int32) -> [UInt8]? {
        isNull(column) ? nil : bytes(column)
    }

    /// Lends the bytes of a text or blob column of the current row; null lends none.
    ///
    /// - Parameters:
    ///   - column: the column, counted from 0.
    ///   - body: must not keep the pointer: the next step takes it away.
    /// - Returns: what `body` returned.
    public func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = sqlite3_column_blob(handle, column)
        return body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// Where a column stands in the rows of this statement.
    ///
    /// - Parameter name: the column's name, as the table or `AS` has it.
    /// - Returns: its place, counted from 0.
    /// - Throws: `SQLiteError` with step `.prepare` when there is none.
    public func column(_ name: String) throws(SQLiteError) -> Int32 {
        for column in 0..<sqlite3_column_count(handle) {
            if let found = sqlite3_column_name(handle, column), String(cString: found) == name { return column }
        }
        throw SQLiteError(.prepare, code: SQLITE_ERROR, message: "no column \(name)", sql: sql)
    }

    /// The columns of the current row, each in its storage class; floating point is read as text.
    public var row: [Value] {
        (0..<sqlite3_column_count(handle)).map { column in
            switch sqlite3_column_type(handle, column) {
            case SQLITE_INTEGER: .integer(int64(column))
            case SQLITE_BLOB: .blob(bytes(column))
            case SQLITE_NULL: .null
            default: .text(string(column))
            }
        }
    }
}
