import CSQLite

/// Rows written one after another into memory that is used again, for hashing: no allocation for each row.
///
/// - Shape: for each row the count of its columns (without those that are left out), then each column as tag (0 null, 1 integer, 2 text, 3 blob), then
///   eight bytes of integer or length, then the bytes; integers big-endian.
public struct RowBytes: ~Copyable {
    private var start: UnsafeMutableRawPointer
    private var capacity: Int
    /// The integers of the last row, by column; only the columns that hold one are set.
    private var integers: UnsafeMutablePointer<Int64>
    private var columnsMax = 0
    private var lastRow = 0
    /// Bytes of the rows that are kept.
    public private(set) var count = 0

    /// Makes an empty buffer.
    public init() {
        capacity = 4096
        start = .allocate(byteCount: capacity, alignment: 16)
        integers = .allocate(capacity: 0)
    }

    deinit {
        integers.deallocate()
        start.deallocate()
    }

    /// Forgets all rows but the last; the memory stays.
    public mutating func removeFormer() {
        start.copyMemory(from: start + lastRow, byteCount: count - lastRow)
        (count, lastRow) = (count - lastRow, 0)
    }

    /// Forgets the last row; what ``integer(_:)`` says of it stays.
    public mutating func removeLast() { count = lastRow }

    /// An integer of the last row, in a fraction of the time that asking SQLite takes.
    ///
    /// - Parameter column: the column, counted from 0.
    /// - Returns: the integer; of bytes their count, 0 for text and null.
    public borrowing func integer(_ column: Int32) -> Int64 {
        precondition(column >= 0 && column < columnsMax, "column \(column) of \(columnsMax)")
        return integers[Int(column)]
    }

    /// Lends the bytes of all rows, or of all but the last.
    ///
    /// - Parameters:
    ///   - isLastIncluded: whether the last row is lent as well.
    ///   - body: must not keep the pointer.
    /// - Returns: what `body` returned.
    public borrowing func withBytes<Result>(
        includingLast isLastIncluded: Bool = true,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        body(UnsafeRawBufferPointer(start: start, count: isLastIncluded ? count : lastRow))
    }

    /// Appends the current row of a statement.
    ///
    /// - Parameters:
    ///   - statement: one that stands on a row; floating point is read as text.
    ///   - required: of the columns after so many, nulls at the end are left out.
    ///   - derived: so many columns at the end are left out; ``integer(_:)`` knows them.
    public mutating func append(_ statement: borrowing Statement, required: Int32 = .max, derived: Int32 = 0) {
        let handle = statement.handle
        let columns = sqlite3_column_count(handle)
        let hashed = columns - derived
        var end = (count: 0, columns: UInt8(0))
        lastRow = count
        reserve(1 + 9 * Int(columns), columns: Int(columns))
        count += 1
        for column in 0..<columns {
            defer {
                if column < hashed, column < required || sqlite3_column_type(handle, column) != SQLITE_NULL {
                    end = (count, UInt8(truncatingIfNeeded: column + 1))
                }
            }
            // One look at the row for each column: the value's own functions are cheap.
            let value = sqlite3_column_value(handle, column)
            integers[Int(column)] = 0
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER:
                let integer = sqlite3_value_int64(value)
                integers[Int(column)] = integer
                append(tag: 1, UInt64(bitPattern: integer))
            case SQLITE_NULL:
                start.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
                count += 1
            case SQLITE_BLOB:
                let bytes = sqlite3_column_blob(handle, column)
                integers[Int(column)] = Int64(sqlite3_column_bytes(handle, column))
                append(tag: 3, bytes, Int(sqlite3_column_bytes(handle, column)), columnsLeft: columns - column)
            default:
                // The pointer first, the count second: the other order may convert the text in between.
                let text = sqlite3_column_text(handle, column).map { UnsafeRawPointer($0) }
                append(tag: 2, text, Int(sqlite3_column_bytes(handle, column)), columnsLeft: columns - column)
            }
        }
        count = end.count
        start.storeBytes(of: end.columns, toByteOffset: lastRow, as: UInt8.self)
    }

    private mutating func append(tag: UInt8, _ number: UInt64) {
        start.storeBytes(of: tag, toByteOffset: count, as: UInt8.self)
        start.storeBytes(of: number.bigEndian, toByteOffset: count + 1, as: UInt64.self)
        count += 9
    }

    private mutating func append(tag: UInt8, _ bytes: UnsafeRawPointer?, _ length: Int, columnsLeft: Int32) {
        append(tag: tag, UInt64(length))
        // What follows keeps its places: nine bytes for each column left.
        reserve(length + 9 * Int(columnsLeft), columns: columnsMax)
        guard let bytes, length > 0 else { return }
        (start + count).copyMemory(from: bytes, byteCount: length)
        count += length
    }

    private mutating func reserve(_ more: Int, columns: Int) {
        if columns > columnsMax {
            integers.deallocate()
            (integers, columnsMax) = (.allocate(capacity: columns), columns)
        }
        guard count + more > capacity else { return }
        let grown = max(capacity * 2, count + more)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
        larger.copyMemory(from: start, byteCount: count)
        start.deallocate()
        (start, capacity) = (larger, grown)
    }
}
