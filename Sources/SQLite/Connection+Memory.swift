import CSQLite

extension Connection {
    /// Gives the memory that closed connections had for their pages back to the system.
    ///
    /// The C library would keep it for the threads that used it, and each thread's share apart.
    ///
    /// - Source: malloc_trim(3).
    public static func returnFreedMemory() { _ = malloc_trim(0) }
}
