/// A wall time as date and time of day in UTC, in the proleptic Gregorian calendar.
public struct CivilTime: Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var millisecond: Int

    public init(_ time: WallTime) {
        let seconds = Int(time.nanoseconds.floorDivided(by: 1_000_000_000))
        let days = seconds.floorDivided(by: 86_400)
        let ofDay = seconds - days * 86_400
        millisecond = Int((time.nanoseconds - Int64(seconds) * 1_000_000_000) / 1_000_000)
        hour = ofDay / 3600
        minute = ofDay / 60 % 60
        second = ofDay % 60
        // Days to date, counted in eras of 400 years that begin on 1 March, so that the leap day comes last.
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// As `2026-11-21T11:36:12.345Z` (RFC 3339 section 5.6).
    public var text: String {
        func padded(_ value: Int, _ count: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(millisecond, 3))Z"
    }

    /// Reads RFC 3339 text; `nil` for another form, a date that does not exist, or one that 64 bits of nanoseconds miss.
    public static func parse(_ text: [UInt8]) -> WallTime? {
        var scanner = Scanner(text: text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"),
            let second = scanner.number(2), let fraction = scanner.fraction(), let zone = scanner.zone(),
            scanner.isAtEnd, 1970...2261 ~= year, 1...12 ~= month, 1...daysIn(month, of: year) ~= day, hour < 24,
            minute < 60, second < 60
        else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone * 60
        guard seconds >= 0 else { return nil }
        return WallTime(nanoseconds: Int64(seconds) * 1_000_000_000 + fraction)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year.floorDivided(by: 400)
        let yearOfEra = year - era * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
    }
}

private struct Scanner {
    let text: [UInt8]
    var offset = 0

    init(text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { offset == text.count }

    mutating func skip(_ character: Character) -> Bool {
        guard offset < text.count, text[offset] == character.asciiValue else { return false }
        offset += 1
        return true
    }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
        guard offset + count <= text.count else { return nil }
        var value = 0
        for byte in text[offset..<offset + count] {
            guard 0x30...0x39 ~= byte else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        offset += count
        return value
    }

    /// Nanoseconds of `.digits`; 0 without a point, `nil` without a digit behind it. Digits past the ninth are dropped.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var digits = 0
        while let digit = number(1) {
            if digits < 9 { value = value * 10 + Int64(digit) }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 9)..<9 { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    mutating func zone() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
            return nil
        }
        return sign * (hours * 60 + minutes)
    }
}

extension FixedWidthInteger {
    /// Division that rounds down, for a positive divisor.
    fileprivate func floorDivided(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
