import Crypto

/// What a block hashes of one table: the bytes of its rows, one after another.
///
/// A row is the count of its columns and then each column as a tag (0 null, 1 integer, 2 text, 3 bytes) with, for an
/// integer, 8 bytes, and for text and bytes an 8-byte length and the bytes; numbers are big-endian. Columns that were
/// added after the first release count up to the last one that is not null.
struct HashedRows: ~Copyable {
    private var start = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 1)
    private var capacity = 1 << 16
    private var count = 0
    private var rowStart = 0
    private var columns: UInt8 = 0
    private var required: UInt8 = 0
    /// Where the row ends if only nulls follow that need not be there.
    private var end: (count: Int, columns: UInt8) = (0, 0)

    deinit { start.deallocate() }

    /// Begins a row; of its columns after the first `required`, nulls at the end are left out.
    mutating func beginRow(required: UInt8) {
        (rowStart, columns, self.required) = (count, 0, required)
        reserve(1)
        count += 1
    }

    /// Forgets the row that was begun.
    mutating func dropRow() { count = rowStart }

    mutating func finishRow() {
        count = end.count
        start.storeBytes(of: end.columns, toByteOffset: rowStart, as: UInt8.self)
    }

    mutating func null() {
        tag(0)
        if columns <= required { end = (count, columns) }
    }

    mutating func integer(_ value: Int64) {
        tag(1)
        number(UInt64(bitPattern: value))
        end = (count, columns)
    }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { bytes in
            tag(2)
            append(UnsafeRawBufferPointer(bytes))
        }
    }

    mutating func blob(_ value: [UInt8]) {
        value.withUnsafeBytes { bytes in
            tag(3)
            append(bytes)
        }
    }

    /// Text whose bytes are somewhere else, as SQLite gives a column.
    mutating func text(_ bytes: UnsafeRawBufferPointer) {
        tag(2)
        append(bytes)
    }

    /// Bytes that are somewhere else, as SQLite gives a column.
    mutating func blob(_ bytes: UnsafeRawBufferPointer) {
        tag(3)
        append(bytes)
    }

    /// The SHA-256 of all rows; they are forgotten.
    mutating func takeDigest() -> [UInt8] {
        guard count > 0 else { return Self.digestOfNone }
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(start: start, count: count))
        count = 0
        return Array(hash.finalize())
    }

    /// Most tables have no row in most blocks.
    private static let digestOfNone = Array(SHA256.hash(data: [UInt8]()))

    private mutating func tag(_ value: UInt8) {
        reserve(9)
        start.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count += 1
        columns &+= 1
    }

    private mutating func number(_ value: UInt64) {
        start.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        number(UInt64(bytes.count))
        reserve(bytes.count)
        if let base = bytes.baseAddress { (start + count).copyMemory(from: base, byteCount: bytes.count) }
        count += bytes.count
        end = (count, columns)
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: start, byteCount: count)
        start.deallocate()
        start = larger
    }
}

/// A block of the chain is the hash of the former block and of every row recorded since.
///
/// `hash = SHA-256(prev ‖ SHA-256(rows of each table, in the order of `ChainedTable.Name`) ‖ n ‖ Σ amount ‖ ts)`;
/// rows as ``HashedRows``, numbers as 8 bytes, big-endian.
enum BlockHash {
    /// The hash before the first block.
    static let genesis = [UInt8](repeating: 0, count: 32)

    static func hash(prev: [UInt8], tables: [[UInt8]], rows: Int64, sum: Int64, ledgerMicroseconds: Int64) -> [UInt8] {
        var bytes = prev
        for digest in tables { bytes += digest }
        for number in [rows, sum, ledgerMicroseconds] {
            withUnsafeBytes(of: UInt64(bitPattern: number).bigEndian) { bytes.append(contentsOf: $0) }
        }
        return Array(SHA256.hash(data: bytes))
    }
}
