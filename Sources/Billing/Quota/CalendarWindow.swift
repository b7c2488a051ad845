/// A calendar window in UTC; windows are numbered, so that a counter names the one it belongs to.
enum CalendarWindow: Sendable {
    /// Days since 1970-01-01.
    case day
    /// Months since January of year 0.
    case month

    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// The number of the window that holds a moment.
    func index(at microseconds: Int64) -> Int64 {
        let day = floorDivide(microseconds, Self.microsecondsPerDay)
        guard self == .month else { return day }
        let date = CivilDate(daysSinceEpoch: day)
        return date.year * 12 + date.month - 1
    }

    /// When a window begins, in microseconds of Unix time; the next one's beginning is its end.
    func start(of index: Int64) -> Int64 {
        guard self == .month else { return index * Self.microsecondsPerDay }
        let year = floorDivide(index, 12)
        return CivilDate(year: year, month: index - year * 12 + 1, day: 1).daysSinceEpoch * Self.microsecondsPerDay
    }

    /// When the window that holds a moment ends, in seconds of Unix time.
    func resetSeconds(at microseconds: Int64) -> Int64 {
        start(of: index(at: microseconds) + 1) / 1_000_000
    }
}

/// A date of the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil` and `civil_from_days`).
struct CivilDate: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    init(daysSinceEpoch: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// Division that rounds towards minus infinity, for moments before 1970.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}

/// A moment as `2026-11-23T11:22:52.042000Z` (ISO 8601, UTC, microseconds).
func iso8601(microseconds: Int64) -> String {
    let days = floorDivide(microseconds, CalendarWindow.microsecondsPerDay)
    let date = CivilDate(daysSinceEpoch: days)
    let rest = microseconds - days * CalendarWindow.microsecondsPerDay
    let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
    func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(time).\(padded(fraction, 6))Z"
}
