internal import CSandbox

/// Which processors a thread may run on: sched_setaffinity(2).
public enum Processors {
    /// Has the calling thread stay on one of two processors, where there are just two.
    ///
    /// The kernel wakes a thread on the processor of whoever woke it, or where it ran before, and looks for an idle one
    /// only where few are busy. Threads that wake each other all the time gather on one of two processors, and the
    /// other rests. Threads that are started by this one inherit the choice.
    ///
    /// - Returns: whether it does.
    /// - Source: `select_idle_cpu` in the kernel's `kernel/sched/fair.c`; measured in docs/decisions/0022.
    @discardableResult
    public static func stayOnOne() -> Bool { sbx_stay_on_last_of_two() != 0 }

    /// Undoes for the calling thread what it has inherited of that.
    public static func useAll() { sbx_use_all_processors() }
}
