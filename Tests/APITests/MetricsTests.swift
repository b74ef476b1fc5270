import HTTPServer
import Service
import Spec
import Testing
import Timing

@testable import API

@Suite("Metrics")
struct MetricsTests {
    static let rows: [(family: MetricFamily, text: String)] = [
        (
            MetricFamily(.gauge, "sluice_rooms", "Open rooms.", 3),
            "# HELP sluice_rooms Open rooms.\n# TYPE sluice_rooms gauge\nsluice_rooms 3\n"
        ),
        (
            MetricFamily(.gauge, "x", "A \\ and\na line", 0.25),
            "# HELP x A \\\\ and\\na line\n# TYPE x gauge\nx 0.25\n"
        ),
        (
            MetricFamily(
                .counter, "x_total", "q \"",
                [.init(labels: [MetricLabel("a", "\"\\\n"), MetricLabel("b", "c")], value: .number(1e20))]),
            "# HELP x_total q \"\n# TYPE x_total counter\nx_total{a=\"\\\"\\\\\\n\",b=\"c\"} 1e+20\n"
        ),
        (MetricFamily(.counter, "none_total", "None.", []), "# HELP none_total None.\n# TYPE none_total counter\n"),
    ]

    @Test("are written in Prometheus's text format", arguments: rows)
    func format(family: MetricFamily, text: String) {
        #expect(MetricsText.text(of: [family]) == text)
    }

    @Test("a histogram's buckets add up, and end with +Inf")
    func histogram() {
        var histogram = Histogram(bounds: [0.1, 1])
        for value in [0.1, 0.05, 0.5, 7, .infinity, .nan] { histogram.observe(value) }
        let text = MetricsText.text(of: [MetricFamily("t_seconds", "T.", histogram)])
        #expect(
            text.split(separator: "\n").dropFirst(2) == [
                "t_seconds_bucket{le=\"0.1\"} 2", "t_seconds_bucket{le=\"1\"} 3", "t_seconds_bucket{le=\"+Inf\"} 4",
                "t_seconds_sum 7.65", "t_seconds_count 4",
            ])
    }

    @Test("count each request under its route's template, and carry no id, path or method of a stranger's making")
    func requests() async throws {
        try await Gateway.with { gateway in
            _ = try await gateway.ask("GET", "/v1/egress/EG_secret1")
            _ = try await gateway.ask("GET", "/v1/egress/EG_secret2")
            _ = try await gateway.ask("BREW", "/v1/rooms")
            _ = try await gateway.ask("GET", "/stolen/path")
            _ = try await gateway.ask("POST", "/v1/rooms", #"{"name":"secret-room"}"#)
            let reply = try await gateway.ask("GET", "/metrics", token: nil)
            #expect(reply.status == 200)
            #expect(reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            for line in [
                #"sluice_http_requests_total{route="/v1/egress/{id}",method="GET",status="4xx"} 2"#,
                #"sluice_http_requests_total{route="/v1/rooms",method="other",status="4xx"} 1"#,
                #"sluice_http_requests_total{route="none",method="GET",status="4xx"} 1"#,
                #"sluice_http_requests_total{route="/v1/rooms",method="POST",status="2xx"} 1"#,
                #"sluice_http_request_duration_seconds_count{route="/v1/egress/{id}",method="GET"} 2"#,
                "sluice_rooms 1", "sluice_participants 0", #"sluice_build_info{version="0.1.0"} 1"#,
                #"sluice_egress{state="queued"} 0"#,
            ] {
                #expect(reply.text.contains(line + "\n"), "\(line)")
            }
            for planted in ["secret", "stolen", "BREW"] { #expect(!reply.text.contains(planted)) }
        }
    }
}
