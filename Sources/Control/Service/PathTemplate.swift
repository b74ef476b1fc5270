public import Timing

/// Where a file goes beneath the storage root, with names in braces: `{room}/{time}.mp4`.
///
/// What the names stand for comes from strangers, so it is encoded: no value makes a folder, climbs out of one, hides a
/// file or fills more than one component. The literal parts are checked once, when the template is read.
public struct PathTemplate: Equatable, Sendable {
    public enum Name: String, Sendable, CaseIterable {
        case room, egress, output, participant, track, time, utc, part
    }

    /// What the names stand for in one file's path.
    public struct Values: Sendable {
        public var room: String
        /// `EG_…`
        public var egress: String
        public var output: String
        public var participant: String
        /// `TR_…`
        public var track: String
        public var time: WallTime
        /// Counted from 1; `nil` puts a NUL there, for whoever makes further parts.
        public var part: Int?

        public init(
            room: String, egress: String, output: String, participant: String = "", track: String = "",
            time: WallTime, part: Int? = 1
        ) {
            self.room = room
            self.egress = egress
            self.output = output
            self.participant = participant
            self.track = track
            self.time = time
            self.part = part
        }
    }

    /// Why a template was refused; the words are for the client.
    public struct Problem: Error, Equatable, Sendable {
        public var detail: String
        public var remedy: String
    }

    private enum Piece: Equatable {
        case literal(String)
        case name(Name)
    }

    /// Bytes of one component of a resolved path: a file system takes 255, and attempts and parts add a few.
    public static let componentLimit = 200

    /// The template of an MP4 output that names none.
    public static let recording = PathTemplate(
        text: "{room}/{time}-{output}.mp4",
        components: [[.name(.room)], [.name(.time), .literal("-"), .name(.output), .literal(".mp4")]])

    /// The template of an HLS output that names none: a folder.
    public static let presentation = PathTemplate(
        text: "{room}/{time}-{output}",
        components: [[.name(.room)], [.name(.time), .literal("-"), .name(.output)]])

    /// As it was given.
    public let text: String
    private let components: [[Piece]]

    private init(text: String, components: [[Piece]]) {
        self.text = text
        self.components = components
    }

    /// - Throws: ``Problem`` for an absolute path, an empty or hidden component, `..`, a backslash, a control character,
    ///   an open brace, or a name that does not exist.
    public init(_ text: String) throws(Problem) {
        var components: [[Piece]] = []
        // By scalars: a mark that joins with a slash makes one character of both, and is a slash to the file system.
        for component in text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false) {
            components.append(try Self.pieces(of: component))
        }
        guard components.count <= 16 else {
            throw Problem(detail: "The path has more than 16 folders.", remedy: "Use fewer.")
        }
        self.text = text
        self.components = components
    }

    /// Whether it says where a part's number stands.
    public var numbersParts: Bool { components.contains { $0.contains(.name(.part)) } }

    /// The path beneath the root that this template gives for `values`: relative, and safe to open beneath it.
    public func resolved(_ values: Values) -> String {
        components.map { pieces in
            let texts = pieces.map { piece in
                switch piece {
                case .literal(let text): text
                case .name(.part): Self.value(of: .part, in: values)
                case .name(let name): Self.encoded(Self.value(of: name, in: values))
                }
            }
            return Self.bounded(Self.apart(Self.visible(texts.joined())))
        }.joined(separator: "/")
    }

    // MARK: Reading

    private static func pieces(of component: Substring.UnicodeScalarView) throws(Problem) -> [Piece] {
        guard let first = component.first else {
            throw Problem(
                detail: "The path is absolute, or has an empty component.",
                remedy: "Give a path relative to the folder of recordings, without // and without / at its ends.")
        }
        guard first != "." else {
            throw Problem(
                detail: "A component of the path begins with a dot.", remedy: "Leave ., .. and hidden names out.")
        }
        var pieces: [Piece] = []
        var rest = component
        while let next = rest.first {
            if next == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Problem(detail: "A { has no }.", remedy: "Close it.")
                }
                let name = rest[rest.index(after: rest.startIndex)..<end]
                pieces.append(.name(try known(String(name))))
                rest = rest[rest.index(after: end)...]
            } else {
                let literal = rest.prefix { $0 != "{" }
                try check(literal)
                pieces.append(.literal(String(literal)))
                rest = rest[literal.endIndex...]
            }
        }
        return pieces
    }

    private static func known(_ name: String) throws(Problem) -> Name {
        guard let known = Name(rawValue: name) else {
            let names = Name.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")
            throw Problem(detail: "There is no {\(name)}.", remedy: "Use \(names).")
        }
        return known
    }

    private static func check(_ literal: Substring.UnicodeScalarView) throws(Problem) {
        for scalar in literal
        where scalar.properties.generalCategory == .control || scalar == "\\" || scalar == "}" {
            throw Problem(detail: "The path holds a \\, a } or a control character.", remedy: "Leave it out.")
        }
        guard String(literal).utf8.count <= componentLimit else {
            throw Problem(detail: "A component is longer than \(componentLimit) bytes.", remedy: "Shorten it.")
        }
    }

    // MARK: Resolving

    private static func value(of name: Name, in values: Values) -> String {
        switch name {
        case .room: values.room
        case .egress: values.egress
        case .output: values.output
        case .participant: values.participant
        case .track: values.track
        case .time: time(values.time)
        case .utc: utc(values.time)
        case .part: values.part.map { String($0) } ?? "\0"
        }
    }

    /// As `2026-11-21T113612`, in UTC.
    private static func time(_ time: WallTime) -> String {
        let parts = CivilTime(time)
        let date = "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
        return "\(date)T\(padded(parts.hour, 2))\(padded(parts.minute, 2))\(padded(parts.second, 2))"
    }

    /// As `20261121113612345`.
    private static func utc(_ time: WallTime) -> String {
        let parts = CivilTime(time)
        return padded(parts.year, 4)
            + [parts.month, parts.day, parts.hour, parts.minute, parts.second].map { padded($0, 2) }.joined()
            + padded(parts.millisecond, 3)
    }

    /// Percent-encodes what may not stand in a component, and `%` itself, so that two values never meet in one name.
    private static func encoded(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            let isForbidden =
                scalar.properties.generalCategory == .control || scalar == "/" || scalar == "\\" || scalar == "%"
            if isForbidden {
                text += escaped(scalar)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        String(Character(scalar)).utf8.map { percent($0) }.joined()
    }

    private static func percent(_ byte: UInt8) -> String {
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    /// No component is empty, or begins with a dot: that takes in `.` and `..`.
    private static func visible(_ component: String) -> String {
        if component.isEmpty { return "_" }
        return component.utf8.first == UInt8(ascii: ".")
            ? percent(UInt8(ascii: ".")) + String(component.unicodeScalars.dropFirst()) : component
    }

    /// Neither end joins with the slash beside it into one character, as a combining mark would: who reads paths by
    /// characters finds every slash.
    private static func apart(_ component: String) -> String {
        var scalars = component.unicodeScalars[...]
        var (head, tail) = ("", "")
        if "/\(component)".first != "/", let first = scalars.popFirst() { head = escaped(first) }
        if "\(component)/".last != "/", let last = scalars.popLast() { tail = escaped(last) }
        return head + String(scalars) + tail
    }

    /// Cuts a component that is too long, keeps its extension, and marks it by a hash of the whole.
    private static func bounded(_ component: String) -> String {
        guard component.utf8.count > componentLimit else { return component }
        let dot = component.utf8.lastIndex(of: UInt8(ascii: "."))
        let ending = dot.map { String(component[$0...]) } ?? ""
        let kept = ending.utf8.count <= 16 ? ending : ""
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in component.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let mark = "~" + String(hash, radix: 16)
        var stem = ""
        var room = componentLimit - kept.utf8.count - mark.utf8.count
        for scalar in component.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            stem.unicodeScalars.append(scalar)
        }
        return stem + mark + kept
    }
}
