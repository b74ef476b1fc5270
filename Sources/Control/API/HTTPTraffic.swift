import HTTPServer
import Service
import Synchronization
import Timing

/// What the REST face counts: requests by route, method and class of status, and how long they took.
final class HTTPTraffic: Sendable {
    private struct Place: Hashable {
        var route: String
        var method: String
    }

    private struct State {
        var requests = Tally("route", "method", "status")
        var seconds: [Place: Histogram] = [:]
    }

    /// From a cache's hit to a slow disk.
    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]

    private let state = Mutex(State())

    /// - Parameters:
    ///   - route: the template (`/v1/egress/{id}`), never the path; `nil` where none matches.
    ///   - method: as sent: anything may stand there.
    func note(route: String?, method: String, status: Int, after time: Duration) {
        let place = Place(route: route ?? "none", method: Self.methods.contains(method) ? method : "other")
        state.withLock { state in
            state.requests.add(1, place.route, place.method, "\(status / 100)xx")
            state.seconds[place, default: Histogram(bounds: Self.bounds)].observe(time.inSeconds)
        }
    }

    var families: [MetricFamily] {
        let state = state.withLock { $0 }
        let places = state.seconds.sorted { ($0.key.route, $0.key.method) < ($1.key.route, $1.key.method) }
        return [
            state.requests.family(
                .counter, "sluice_http_requests_total", "Requests by route, method and class of status."),
            MetricFamily(
                .histogram, "sluice_http_request_duration_seconds",
                "From a whole request to its answer, without the time to send it.",
                places.map { place, histogram in
                    MetricFamily.Sample(
                        labels: [MetricLabel("route", place.route), MetricLabel("method", place.method)],
                        value: .histogram(histogram))
                }),
        ]
    }
}
