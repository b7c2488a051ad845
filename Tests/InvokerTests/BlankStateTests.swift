import Testing

@testable import Invoker

/// How many blanks there are to be.
@Suite struct BlankStateTests {
    private static let second: UInt64 = 1_000_000_000

    /// Performs what is to be done until nothing is; what was done.
    private func settle(_ state: inout BlankState<String>, now: UInt64, isShort: Bool = false) -> [BlankState<String>
        .Step]
    {
        var done: [BlankState<String>.Step] = []
        while let step = state.next(now: now, isShort: isShort) {
            done.append(step)
            if case .make(let kind) = step { state.made(kind, seconds: 0.005) }
            guard done.count < 1_000 else { break }
        }
        return done
    }

    @Test(arguments: [(most: 0, ready: 0), (most: 3, ready: 3), (most: 4, ready: 4), (most: 5, ready: 4)])
    func `the usual class is stocked before anybody asks, up to the floor and the bound`(most: Int, ready: Int) {
        var state = BlankState<String>(floor: 4, most: most, usual: "usual", now: 0)
        _ = settle(&state, now: 0)
        #expect(state.ready == ready)
    }

    @Test func `what is taken is replaced, and nobody gets one that is not there`() {
        var state = BlankState<String>(floor: 2, most: 8, usual: "usual", now: 0)
        let early = state.take("usual", now: 0)
        _ = settle(&state, now: 0)
        let taken = [state.take("usual", now: 0), state.take("usual", now: 0), state.take("usual", now: 0)]
        #expect(!early && taken == [true, true, false])
        let replaced = settle(&state, now: 0)
        #expect(replaced == [.make("usual"), .make("usual")])
    }

    @Test func `demand raises the number and silence lowers it again`() {
        var state = BlankState<String>(floor: 2, most: 100, usual: "usual", now: 0)
        for moment in 0..<5_000 {
            _ = state.take("usual", now: UInt64(moment) * Self.second / 500)
            _ = settle(&state, now: UInt64(moment) * Self.second / 500)
        }
        let busy = state.ready
        #expect(busy > 10 && busy <= 100)
        _ = settle(&state, now: 1_000 * Self.second)
        #expect(state.ready >= 2 && state.ready < 5)
    }

    @Test func `a class that nobody asks for is forgotten`() {
        var state = BlankState<String>(floor: 2, most: 8, usual: nil, now: 0)
        _ = state.take("large", now: 0)
        _ = settle(&state, now: 0)
        #expect(state.ready == 2)
        let early = settle(&state, now: 59 * Self.second)
        #expect(early.isEmpty && state.ready == 2)
        let late = settle(&state, now: 61 * Self.second)
        #expect(late == [.drop("large"), .drop("large")])
    }

    @Test func `when the host's memory is short all are given back and none is made`() {
        var state = BlankState<String>(floor: 4, most: 8, usual: "usual", now: 0)
        _ = settle(&state, now: 0)
        let given = settle(&state, now: 0, isShort: true)
        #expect(given == [BlankState<String>.Step](repeating: .drop("usual"), count: 4))
        let none = settle(&state, now: 0, isShort: true)
        let again = settle(&state, now: 0)
        #expect(none.isEmpty && again.count == 4)
    }

    @Test func `one that could not be made is ordered again, and one that was lost is replaced`() {
        var state = BlankState<String>(floor: 1, most: 8, usual: "usual", now: 0)
        let steps = [state.next(now: 0, isShort: false), state.next(now: 0, isShort: false)]
        #expect(steps == [.make("usual"), nil])
        state.made("usual", seconds: nil)
        let again = settle(&state, now: 0)
        state.lost("usual")
        let replaced = settle(&state, now: 0)
        #expect(again == [.make("usual")] && replaced == [.make("usual")])
    }
}
