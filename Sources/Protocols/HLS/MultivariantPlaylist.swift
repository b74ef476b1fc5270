/// The list of a presentation's renditions and variants (section 4.4.6).
public struct MultivariantPlaylist: Equatable, Sendable {
    /// An alternative rendition of sound: one `EXT-X-MEDIA` (section 4.4.6.1).
    public struct Rendition: Equatable, Sendable {
        /// The group that a variant names.
        public var group: String
        /// For people; no other of the group has it. See ``MultivariantPlaylist/quotable(_:)``.
        public var name: String
        public var uri: String
        /// Played unless the viewer chooses otherwise: one of the group.
        public var isDefault: Bool
        /// As heard.
        public var channels: Int

        public init(group: String, name: String, uri: String, isDefault: Bool, channels: Int) {
            self.group = group
            self.name = name
            self.uri = uri
            self.isDefault = isDefault
            self.channels = channels
        }
    }

    /// One `EXT-X-STREAM-INF` with its URI (section 4.4.6.2).
    public struct Variant: Equatable, Sendable {
        public var uri: String
        /// The peak segment bit rate with the largest rendition of each group, bits a second.
        public var bandwidth: Int64
        /// The average over all segments, likewise.
        public var averageBandwidth: Int64?
        /// RFC 6381, one for each format that stands in any segment.
        public var codecs: [String] = []
        /// In pixels; `nil` without a picture.
        public var resolution: Resolution?
        /// The greatest of its video, in pictures a second; written with three decimals.
        public var frameRate: Double?
        /// The group of its sound.
        public var audio: String?

        public init(uri: String, bandwidth: Int64) {
            self.uri = uri
            self.bandwidth = bandwidth
        }
    }

    public struct Resolution: Equatable, Sendable {
        public var width: Int
        public var height: Int

        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    /// Most renditions and variants that are read.
    public static let entryLimit = 1000

    public var version = 6
    /// Each segment of each playlist can be decoded without another (section 4.4.2.1).
    public var hasIndependentSegments = false
    public var renditions: [Rendition] = []
    public var variants: [Variant] = []

    public init() {}

    /// `text` without what a quoted string may not hold (section 4.2): quotes and line ends.
    public static func quotable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0 != "\"" && $0.value != 0x7F }))
    }
}
