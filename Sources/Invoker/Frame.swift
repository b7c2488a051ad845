internal import NIOCore

/// The header before every message between the daemon and a box.
///
/// Sixteen bytes, little-endian: magic, type, flags, payload length, and the nonce of the request, which the answer
/// must repeat. Everything that comes from a box is hostile input until these bounds are checked.
struct FrameHeader: Sendable, Equatable {
    static let byteCount = 16
    static let magic: UInt16 = 0xFA5D

    /// Flag of a result and of an error: the worker ends with this answer and must not be asked again.
    static let lastAnswer: UInt8 = 0x80
    /// Flag of a child's end: it was over before it was told anything of the call.
    static let beforeTheCall: UInt8 = 0x01

    var type: UInt8
    var flags: UInt8
    var length: UInt32
    var nonce: UInt64

    /// Flag of ready: the worker can be told to fork.
    static let canBranch: UInt8 = 0x01

    /// What the daemon sends.
    enum Request: UInt8, Sendable {
        case initialize = 1
        case call = 2
        case archive = 3
        case requirements = 4
        /// A template is to follow the order to fork that it has been sent.
        case branch = 5
    }

    /// What a box may answer.
    enum Reply: UInt8, Sendable {
        case ready = 0x81
        case result = 0x82
        case error = 0x83
        case loadError = 0x84
        /// What the worker ran as its child has ended without an answer.
        case childEnded = 0x85
        case file = 0x90
        case data = 0x91
        case done = 0x92
    }

    init(_ request: Request, flags: UInt8 = 0, length: Int, nonce: UInt64) {
        type = request.rawValue
        self.flags = flags
        self.length = UInt32(length)
        self.nonce = nonce
    }

    /// Reads a header, or nil when the magic is wrong.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount,
            UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self)) == Self.magic
        else { return nil }
        type = bytes[2]
        flags = bytes[3]
        length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        nonce = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Appends the header's bytes.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.byteCount) { room in
            room.storeBytes(of: Self.magic.littleEndian, as: UInt16.self)
            (room[2], room[3]) = (type, flags)
            room.storeBytes(of: length.littleEndian, toByteOffset: 4, as: UInt32.self)
            room.storeBytes(of: nonce.littleEndian, toByteOffset: 8, as: UInt64.self)
            return Self.byteCount
        }
    }
}

/// What kind of value travels: how a body is labelled, never what is in it.
public enum ContentKind: UInt8, Sendable, Equatable {
    case text = 0
    case json = 1
    case binary = 2

    /// The word in `metadata.content_type`.
    public var name: String {
        switch self {
        case .text: "text"
        case .json: "json"
        case .binary: "binary"
        }
    }
}

/// The text of a failure as a box reported it: three length-prefixed fields, taken as bytes and never interpreted.
public struct ReportedError: Sendable, Equatable {
    /// The type the author's code gave, or the runtime's word.
    public var type: String
    /// What went wrong, for the caller.
    public var message: String
    /// Where, for the owner of the algorithm.
    public var stackTrace: String

    /// Limits of what is kept; longer fields are cut.
    static let messageBytesMax = 8 * 1_024
    static let stackTraceBytesMax = 64 * 1_024

    /// Reads the payload of an error frame, or nil when a length points outside it.
    init?(_ payload: ByteBuffer) {
        var payload = payload
        guard let type = Self.field(&payload, Self.messageBytesMax),
            let message = Self.field(&payload, Self.messageBytesMax),
            let stackTrace = Self.field(&payload, Self.stackTraceBytesMax), payload.readableBytes == 0
        else { return nil }
        self.type = type
        self.message = message
        self.stackTrace = stackTrace
    }

    init(type: String, message: String, stackTrace: String = "") {
        self.type = type
        self.message = message
        self.stackTrace = stackTrace
    }

    /// Bytes that are not UTF-8 become replacement characters.
    private static func field(_ payload: inout ByteBuffer, _ limit: Int) -> String? {
        guard let length = payload.readInteger(endianness: .little, as: UInt32.self),
            let slice = payload.readSlice(length: Int(length))
        else { return nil }
        return String(decoding: slice.readableBytesView.prefix(limit), as: UTF8.self)
    }
}
