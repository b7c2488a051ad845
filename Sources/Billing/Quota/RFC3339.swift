/// Moments as people and programs write them.
public enum RFC3339 {
    /// Reads a moment, for example `2027-01-31T00:00:00Z` or `2027-01-31T01:00:00.5+01:00`.
    ///
    /// - Parameters:
    ///   - text: a date from 1970 on, `T`, a time with at most 6 decimals of a second, and `Z` or an offset.
    ///   - field: what it is called in the error.
    /// - Returns: microseconds of Unix time.
    /// - Throws: `BillingError` for any other form, and for days and times that do not exist; there are no leap seconds.
    public static func microseconds(_ text: String, field: String) throws(BillingError) -> Int64 {
        let form =
            /([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))/
        guard let match = text.wholeMatch(of: form) else { throw wrong(field, text) }
        let number = { (digits: Substring?) in digits.flatMap { Int64($0) } ?? 0 }
        let date = CivilDate(year: number(match.1), month: number(match.2), day: number(match.3))
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        let (offsetHour, offsetMinute) = (number(match.9), number(match.10))
        guard
            (1970...).contains(date.year), (1...12).contains(date.month),
            CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date, hour < 24, minute < 60, second < 60,
            offsetHour < 24, offsetMinute < 60
        else { throw wrong(field, text) }
        let decimals = String(match.7 ?? "")
        let fraction = number((decimals + String(repeating: "0", count: 6 - decimals.count))[...])
        let offset = (offsetHour * 60 + offsetMinute) * (match.8 == "-" ? -60 : 60)
        return ((date.daysSinceEpoch * 24 + hour) * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
    }

    private static func wrong(_ field: String, _ text: String) -> BillingError {
        BillingError(field, text, "a moment from 1970 on in the form 2027-01-31T00:00:00Z (RFC 3339)")
    }
}
