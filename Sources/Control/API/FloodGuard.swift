import Service
import Synchronization
import Timing

/// Slows down one address that posts too fast: a bucket of two seconds' worth of requests for each.
final class FloodGuard: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: Instant
    }

    /// Addresses remembered; beyond, those whose bucket is full again are forgotten.
    private static let addressLimit = 10_000

    private let rate: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    init(postsPerSecond: Int) { rate = Double(max(1, postsPerSecond)) }

    /// - Throws: `too_many_requests`.
    func admit(_ address: String, at now: Instant) throws(ServiceError) {
        let isAdmitted = buckets.withLock { buckets in
            if buckets.count > Self.addressLimit {
                buckets = buckets.filter { level(of: $0.value, at: now) < 2 * rate }
            }
            var bucket = buckets[address] ?? Bucket(tokens: 2 * rate, filledAt: now)
            bucket.tokens = level(of: bucket, at: now)
            bucket.filledAt = now
            let isAdmitted = bucket.tokens >= 1
            if isAdmitted { bucket.tokens -= 1 }
            buckets[address] = bucket
            return isAdmitted
        }
        guard isAdmitted else {
            throw ServiceError(
                .tooManyRequests, "More than \(Int(rate)) POST requests a second came from your address.",
                retryAfterSeconds: 1)
        }
    }

    private func level(of bucket: Bucket, at now: Instant) -> Double {
        min(2 * rate, bucket.tokens + max(0, (now - bucket.filledAt).inSeconds) * rate)
    }
}
