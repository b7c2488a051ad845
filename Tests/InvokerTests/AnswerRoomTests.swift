import Billing
import Testing

@testable import Invoker

@Suite struct AnswerRoomTests {
    private func state(waitersMax: Int = 10) -> AnswerRoomState {
        AnswerRoomState(bytesMax: 100, accountBytesMax: 50, waitersMax: waitersMax)
    }

    @Test(arguments: [(9, true), (10, true), (11, false)])
    func `what is over the share waits`(bytes: Int, isGranted: Bool) {
        var room = state()
        let (first, second) = (room.take(40, "anna"), room.take(bytes, "anna"))
        #expect(first == .granted && (second == .granted) == isGranted)
        #expect(room.takenBytes == (isGranted ? 40 + bytes : 40))
    }

    @Test(arguments: [(19, true), (20, true), (21, false)])
    func `all accounts together have all the room`(bytes: Int, isGranted: Bool) {
        var room = state()
        let others = [room.take(50, "anna"), room.take(30, "bert")]
        let decision = room.take(bytes, "carl")
        #expect(others == [.granted, .granted] && (decision == .granted) == isGranted)
    }

    @Test func `those who wait are served in their order, and nobody behind an account that has its share`() {
        var room = state()
        let first = [room.take(50, "anna"), room.take(20, "anna"), room.take(10, "anna"), room.take(40, "bert")]
        #expect(first == [.granted, .wait(ticket: 1), .wait(ticket: 2), .granted])
        let last = room.take(20, "carl")
        #expect(last == .wait(ticket: 3))
        // Bert's ten make room for Carl, whom Anna's turn does not hold up; Anna's fifteen make none for her first.
        let served = [room.give(10, "bert"), room.give(15, "anna"), room.give(15, "anna")]
        #expect(served == [[3], [], [1, 2]])
    }

    @Test func `a newcomer does not pass those of its account who wait`() {
        var room = state()
        let decisions = [room.take(40, "anna"), room.take(20, "anna"), room.take(5, "anna")]
        #expect(decisions == [.granted, .wait(ticket: 1), .wait(ticket: 2)])
    }

    @Test(arguments: [(0, false), (1, true), (2, true)])
    func `only so many may wait`(waitersMax: Int, mayWait: Bool) {
        var room = state(waitersMax: waitersMax)
        let decisions = [room.take(50, "anna"), room.take(1, "anna")]
        #expect(decisions == [.granted, mayWait ? .wait(ticket: 1) : .refused(waiting: 0)])
    }

    @Test func `who gave up is not served, and gives up once`() {
        var room = state()
        _ = room.take(50, "anna")
        _ = room.take(50, "anna")
        let isAbandoned = [room.abandon(1), room.abandon(1)]
        let served = room.give(50, "anna")
        #expect(isAbandoned == [true, false] && served.isEmpty && room.takenBytes == 0)
    }

    @Test func `a shortage names the bound that binds`() {
        var room = state()
        _ = room.take(45, "anna")
        #expect(room.shortage(10, "anna") == .init(isOwn: true, limitBytes: 50, takenBytes: 45))
        _ = room.take(50, "bert")
        #expect(room.shortage(10, "carl") == .init(isOwn: false, limitBytes: 100, takenBytes: 95))
        let busy = Busy(room.shortage(10, "anna"), account: "anna", waitedSeconds: 3)
        #expect(busy.figures == .init(metric: "answer_bytes", scope: "account:anna", limit: 50, value: 45))
        #expect(busy.message.contains("within 3 seconds") && busy.message.contains("45 of 50 bytes"))
    }

    @Test func `an answer takes what is in it, and no less than a buffer`() {
        var reply = CallReply(answer: .failure(Failure(outcome: .exit, type: "", message: "abc", stackTrace: "de")))
        #expect(reply.bytes == 4_096)
        reply.log = String(repeating: "x", count: 4_096)
        #expect(reply.bytes == 4_101)
    }
}
