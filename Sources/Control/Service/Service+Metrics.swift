import Config
import RTMPServer
import Storage

/// The version of this build: of the gateway and of its command line.
public enum Build {
    public static let version = "0.1.0"
}

extension Service {
    /// What `/metrics` shows of the gateway: counted where it happens, gathered here, formatted by the face that asks.
    public func metrics() async -> [MetricFamily] {
        let build = MetricFamily.Sample(labels: [MetricLabel("version", Build.version)], value: .number(1))
        var families = [MetricFamily(.gauge, "sluice_build_info", "1, with the version as label.", [build])]
        families += await roomDirectory.metrics()
        families += await ingressControl.metrics()
        families += Self.families(await plane.statistics())
        families += await egressControl.metrics()
        families += diskMetrics()
        return families
    }

    private static func families(_ plane: MediaPlane.Statistics) -> [MetricFamily] {
        let bytes = MetricFamily.Sample(
            labels: [MetricLabel("protocol", "rtmp")], value: .number(Double(plane.rtmp.bytesReceived)))
        var missed = Tally("consumer")
        missed.add(Double(plane.missedByDurable), "durable")
        missed.add(Double(plane.missedByLive), "live")
        return [
            missed.family(
                .counter, "sluice_link_missed_records_total",
                "Records of feeds that a consumer was too slow for: a recording (durable) or a push (live)."),
            MetricFamily(.counter, "sluice_ingress_bytes_total", "Bytes that encoders sent.", [bytes]),
            MetricFamily(
                .gauge, "sluice_rtmp_connections", "Open RTMP connections, with those that do not publish yet.",
                Double(plane.rtmp.connections)),
            MetricFamily(
                .counter, "sluice_rtmp_connections_accepted_total", "RTMP connections that were taken.",
                Double(plane.rtmp.accepted)),
            MetricFamily(
                .counter, "sluice_rtmp_connections_refused_total", "RTMP connections closed at once: too many.",
                Double(plane.rtmp.refused)),
            MetricFamily(
                .gauge, "sluice_feed_held_bytes", "Media that rooms hold for those who take from them.",
                Double(plane.heldBytes)),
        ]
    }

    private func diskMetrics() -> [MetricFamily] {
        guard let space = try? storage.space() else { return [] }
        return [
            MetricFamily(
                .gauge, "sluice_disk_free_bytes", "Free bytes of the file system that recordings go to.",
                Double(space.free)),
            MetricFamily(.gauge, "sluice_disk_size_bytes", "All bytes of that file system.", Double(space.total)),
            MetricFamily(
                .gauge, "sluice_disk_reserve_bytes", "Bytes that recordings leave free (limits.disk_reserve).",
                Double(configuration.limits.diskReserveBytes)),
        ]
    }
}

extension RoomDirectory {
    func metrics() -> [MetricFamily] {
        let everyone = all().flatMap { participants(of: $0.id) }
        var tracks = Tally("kind")
        for kind in TrackRecord.Kind.allCases { tracks.add(0, kind.rawValue) }
        for track in everyone.flatMap(\.tracks) { tracks.add(1, track.kind.rawValue) }
        return [
            MetricFamily(.gauge, "sluice_rooms", "Open rooms.", Double(all().count)),
            MetricFamily(.gauge, "sluice_participants", "Participants in all rooms.", Double(everyone.count)),
            tracks.family(.gauge, "sluice_tracks", "Tracks that participants publish, by kind."),
        ]
    }
}
