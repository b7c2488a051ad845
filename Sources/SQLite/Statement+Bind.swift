import CSQLite

/// A value for a placeholder: one of SQLite's storage classes, without floating point.
public enum Value: Sendable, Hashable {
    /// SQL `NULL`.
    case null
    /// A 64-bit integer.
    case integer(Int64)
    /// Text in UTF-8.
    case text(String)
    /// Raw bytes.
    case blob([UInt8])
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    /// Makes an integer value from a literal.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// Makes a text value from a literal.
    public init(stringLiteral value: String) { self = .text(value) }
    /// Makes a null value from `nil`.
    public init(nilLiteral: ()) { self = .null }
    /// Makes an integer value, or null.
    public init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    /// Makes an integer value, or null.
    public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    /// Makes a text value, or null.
    public init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    /// Makes a blob value, or null.
    public init(_ value: [UInt8]?) { self = value.map { .blob($0) } ?? .null }
    /// Makes the integer 1 or 0.
    public init(_ value: Bool) { self = .integer(value ? 1 : 0) }
}

/// SQLite copies what it is given before the call returns (`SQLITE_TRANSIENT`, a cast that C macros hide from Swift).
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension Statement {
    /// Binds null to a placeholder.
    ///
    /// - Throws: `SQLiteError` with step `.bind`.
    public func bindNull(_ index: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_null(handle, index))
    }

    /// Binds an integer, or null, to a placeholder.
    ///
    /// - Throws: `SQLiteError` with step `.bind`.
    public func bind(_ index: Int32, _ value: Int64?) throws(SQLiteError) {
        guard let value else { return try check(sqlite3_bind_null(handle, index)) }
        try check(sqlite3_bind_int64(handle, index, value))
    }

    /// Binds text, or null, to a placeholder.
    ///
    /// - Throws: `SQLiteError` with step `.bind`.
    public func bind(_ index: Int32, _ value: String?) throws(SQLiteError) {
        guard var value else { return try check(sqlite3_bind_null(handle, index)) }
        // The buffer of an empty string may have a null base address, and a null pointer would bind NULL.
        guard !value.isEmpty else { return try check(sqlite3_bind_text(handle, index, "", 0, transient)) }
        let code = value.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                sqlite3_bind_text64(handle, index, text.baseAddress, UInt64(text.count), transient, UInt8(SQLITE_UTF8))
            }
        }
        try check(code)
    }

    /// Binds bytes, or null, to a placeholder.
    ///
    /// - Throws: `SQLiteError` with step `.bind`.
    public func bind(_ index: Int32, _ value: [UInt8]?) throws(SQLiteError) {
        guard let value else { return try check(sqlite3_bind_null(handle, index)) }
        guard !value.isEmpty else { return try check(sqlite3_bind_zeroblob(handle, index, 0)) }
        let code = value.withUnsafeBytes { bytes in
            sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), transient)
        }
        try check(code)
    }

    /// Binds a value of any storage class to a placeholder.
    ///
    /// - Throws: `SQLiteError` with step `.bind`.
    public func bind(_ index: Int32, _ value: Value) throws(SQLiteError) {
        switch value {
        case .null: try check(sqlite3_bind_null(handle, index))
        case .integer(let integer): try bind(index, integer)
        case .text(let text): try bind(index, text)
        case .blob(let bytes): try bind(index, bytes)
        }
    }

    /// Binds all placeholders, in order.
    ///
    /// - Parameter values: exactly as many as the statement has placeholders.
    /// - Throws: `SQLiteError` with step `.bind`, also when the number differs.
    public func bind(_ values: [Value]) throws(SQLiteError) {
        let expected = Int(sqlite3_bind_parameter_count(handle))
        guard values.count == expected else {
            let message = "\(values.count) values for \(expected) placeholders"
            throw SQLiteError(.bind, code: SQLITE_RANGE, message: message, sql: sql)
        }
        for (offset, value) in values.enumerated() { try bind(Int32(offset + 1), value) }
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw SQLiteError(.bind, code: code, handle: connection.handle, sql: sql) }
    }
}
