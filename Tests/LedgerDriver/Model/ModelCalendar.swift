/// The calendar of the model: counts days and months one by one from 1970, where the ledger calculates.
enum ModelCalendar {
    static let day: Int64 = 86_400_000_000

    /// When the day or month that holds a moment begins, and when the next does, in microseconds of Unix time.
    static func window(_ metric: String, at moment: Int64) -> Range<Int64>? {
        switch metric {
        case "spend_day_microcredits", Cast.unpaid: moment / day * day..<(moment / day + 1) * day
        case "spend_month_microcredits", "cpu_seconds_month": month(at: moment)
        default: nil
        }
    }

    static func month(at moment: Int64) -> Range<Int64> {
        var (year, month, start) = (Int64(1970), 1, Int64(0))
        while true {
            let end = start + Int64(days(in: month, of: year)) * day
            if moment < end { return start..<end }
            (start, month) = (end, month + 1)
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    private static func days(in month: Int, of year: Int64) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
