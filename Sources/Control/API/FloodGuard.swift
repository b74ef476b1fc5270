import Service
import Synchronization
import Timing

/// Slows down one address (of IPv6, one network) that posts too fast: a bucket of two seconds' worth of requests for each.
final class FloodGuard: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: Instant
    }

    /// Networks remembered; beyond, those whose bucket is full again are forgotten.
    private static let networkLimit = 10_000

    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Throws: `too_many_requests`.
    func admit(_ network: String, postsPerSecond: Int, at now: Instant) throws(ServiceError) {
        let rate = Double(max(1, postsPerSecond))
        let isAdmitted = buckets.withLock { buckets in
            if buckets.count > Self.networkLimit {
                buckets = buckets.filter { level(of: $0.value, rate, at: now) < 2 * rate }
            }
            var bucket = buckets[network] ?? Bucket(tokens: 2 * rate, filledAt: now)
            bucket.tokens = level(of: bucket, rate, at: now)
            bucket.filledAt = now
            let isAdmitted = bucket.tokens >= 1
            if isAdmitted { bucket.tokens -= 1 }
            buckets[network] = bucket
            return isAdmitted
        }
        guard isAdmitted else {
            throw ServiceError(
                .tooManyRequests, "More than \(Int(rate)) POST requests a second came from your address.",
                retryAfterSeconds: 1)
        }
    }

    private func level(of bucket: Bucket, _ rate: Double, at now: Instant) -> Double {
        min(2 * rate, bucket.tokens + max(0, (now - bucket.filledAt).inSeconds) * rate)
    }
}
