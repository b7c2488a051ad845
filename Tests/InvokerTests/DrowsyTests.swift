import Testing

@testable import Invoker

@Suite struct DrowsyTests {
    private let awake = Drowsy.awakeNanoseconds
    private let falling = Drowsy.fallingNanoseconds

    @Test func `a worker is frozen once it has been awake for long enough`() {
        var drowsy = Drowsy()
        drowsy.rests(7, now: 100)
        let early = drowsy.due(now: 99 + awake)
        #expect(early == nil && !drowsy.isEmpty)
        let due = drowsy.due(now: 100 + awake)
        #expect(due?.worker == 7 && due?.step == .freeze && due?.since == 100 + awake)
        #expect(drowsy.isEmpty)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func `it must stand still within a tenth of a second`(off: Int, isLast: Bool) {
        var drowsy = Drowsy()
        let now = UInt64(Int(falling) + off)
        drowsy.falls(7, since: 0, now: now - awake)
        let due = drowsy.due(now: now)
        #expect(due?.step == .look(isLast: isLast) && due?.since == 0)
    }

    @Test func `each is due in its turn`() {
        var drowsy = Drowsy()
        for worker in 1...3 { drowsy.rests(worker, now: UInt64(worker)) }
        var order: [Int] = []
        while let due = drowsy.due(now: 2 + awake) { order.append(due.worker) }
        #expect(order == [1, 2] && !drowsy.isEmpty)
    }
}
