import Hummingbird
import Invoker
import NIOCore

extension AnswerBody {
    /// The body as Hummingbird writes it: at once when it is small, else as its client takes it.
    ///
    /// - Parameters:
    ///   - room: given back once the last piece has left for the connection, or the connection is gone.
    ///   - loop: the connection's; nothing is encoded that it has not taken up yet.
    /// - Returns: a body of known length.
    func response(holding room: AnswerRoom?, on loop: any EventLoop) -> ResponseBody {
        guard byteCount > Self.pieceBytes else { return ResponseBody(byteBuffer: whole) }
        let body = self
        return ResponseBody(contentLength: byteCount) { writer in
            var left = body
            while let piece = left.next() {
                try await writer.write(piece)
                // The writer waits for the client only once the loop has told it that the connection is full.
                try await loop.submit {}.get()
            }
            room?.keepUntilHere()
            try await writer.finish(nil)
        }
    }
}
