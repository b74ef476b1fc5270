import Config
import Testing

@Suite("Quantities")
struct QuantityTests {
    static let durations: [(text: String, duration: Duration?, written: String?)] = [
        ("60s", .seconds(60), "1m"), ("500ms", .milliseconds(500), "500ms"), ("2h", .seconds(7200), "2h"),
        ("30d", .seconds(2_592_000), "30d"), ("1h30m", .seconds(5400), "90m"), ("0s", .zero, "0s"),
        ("60", nil, nil), ("s", nil, nil), ("", nil, nil), ("-1s", nil, nil), ("1.5s", nil, nil), ("1w", nil, nil),
        ("9223372036854775807d", nil, nil), ("９s", nil, nil),
    ]

    @Test("durations need a unit", arguments: durations)
    func duration(text: String, duration: Duration?, written: String?) {
        #expect(Quantity.duration(parsing: text) == duration)
        if let duration { #expect(Quantity.duration(duration) == written) }
    }

    static let sizes: [(text: String, bytes: Int?, written: String?)] = [
        ("64MiB", 64 << 20, "64MiB"), ("16 KiB", 16 << 10, "16KiB"), ("1000", 1000, "1kB"), ("1500", 1500, "1500"),
        ("2GB", 2_000_000_000, "2GB"), ("0", 0, "0"), ("12 parsecs", nil, nil), ("MiB", nil, nil),
        ("9223372036854775807TiB", nil, nil), ("-1", nil, nil),
    ]

    @Test("sizes", arguments: sizes)
    func size(text: String, bytes: Int?, written: String?) {
        #expect(Quantity.size(parsing: text) == bytes)
        if let bytes { #expect(Quantity.size(bytes) == written) }
    }

    @Test("rates", arguments: [("50Mbit/s", 50_000_000), ("2500kbit/s", 2_500_000), ("128000", 128_000)])
    func bitrate(text: String, bps: Int) {
        #expect(Quantity.bitrate(parsing: text) == bps)
        #expect(Quantity.bitrate(parsing: Quantity.bitrate(bps)) == bps)
    }

    @Test(
        "quotes what would read as something else",
        arguments: [
            ("plain", "plain"), ("0.0.0.0", "0.0.0.0"), ("12", "\"12\""), ("null", "\"null\""), ("a: b", "\"a: b\""),
            ("", "\"\""), ("-", "\"-\""), ("a\"\\\n", "\"a\\\"\\\\\\n\""),
        ])
    func quoted(text: String, written: String) { #expect(Quantity.quoted(text) == written) }
}
