public import Log

/// One output of a request; the whole body of `POST /v1/egress/{id}/outputs`.
public struct OutputRequest: Equatable, Sendable {
    public enum Target: Equatable, Sendable {
        case mp4(path: PathTemplate)
        case hls(HLSRequest)
        /// The whole URL with its key.
        case rtmp(url: Secret)
        case tape
    }

    /// `[A-Za-z0-9_-]{1,64}`, unique within its egress.
    public var id: String
    public var target: Target

    public init(id: String, target: Target) {
        self.id = id
        self.target = target
    }

    /// - Throws: `invalid_request` with every field that is wrong; `not_supported` for a type that comes later.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        let output = Self.read(&fields)
        try fields.finish()
        guard let output else { throw ServiceError(.invalidRequest, "This is no output.") }
        self = output
        if id.isEmpty { id = type.rawValue }
    }

    public var type: OutputType {
        switch target {
        case .mp4: .mp4
        case .hls: .hls
        case .rtmp: .rtmp
        case .tape: .tape
        }
    }

    /// The output as it stands in a request.
    public func json(reveal: Bool) -> JSONValue {
        switch target {
        case .mp4(let path): ["id": .string(id), "type": "mp4", "path": .string(path.text)]
        case .hls(let request): request.json(id: id)
        case .rtmp(let url):
            ["id": .string(id), "type": "rtmp", "url": .string(reveal ? url.reveal() : PushURL.masked(url.reveal()))]
        case .tape: ["id": .string(id), "type": "tape"]
        }
    }

    /// Reads all outputs, names those that have no id, and refuses an id that stands twice.
    static func read(_ name: String, of fields: inout FieldReader) -> [OutputRequest] {
        let parsed = fields.objects(name, count: 1...16) { read(&$0) } ?? []
        var taken: Set<String> = Set(parsed.compactMap { $0?.id })
        var seen: Set<String> = []
        var outputs: [OutputRequest] = []
        for (index, output) in parsed.enumerated() {
            guard var output else { continue }
            if output.id.isEmpty {
                var number = 1
                var id = output.type.rawValue
                while taken.contains(id) {
                    number += 1
                    id = "\(output.type.rawValue)-\(number)"
                }
                output.id = id
                taken.insert(id)
            }
            if !seen.insert(output.id).inserted {
                fields.noteAt(
                    fields.place(name, "\(index)", "id"), "not_allowed", "The id `\(output.id)` stands twice.",
                    "Choose another.")
            }
            outputs.append(output)
        }
        return outputs
    }

    /// The members of one output; its id stays empty if none is given.
    private static func read(_ fields: inout FieldReader) -> OutputRequest? {
        let id = fields.outputID()
        fields.require("type")
        switch fields.value("type") {
        case nil: return nil
        case .string("mp4"):
            let path = fields.path()
            if fields.flag("faststart") == true {
                fields.noteNotSupported(
                    "faststart", "This version leaves the index at the file's end.", "Leave `faststart` out.")
            }
            return OutputRequest(id: id, target: .mp4(path: path))
        case .string("hls"): return OutputRequest(id: id, target: .hls(HLSRequest(&fields)))
        case .string("rtmp"):
            fields.require("url")
            return OutputRequest(id: id, target: .rtmp(url: fields.pushURL() ?? Secret("")))
        case .string("tape"): return OutputRequest(id: id, target: .tape)
        case .string(let type) where laterTypes.contains(type):
            fields.noteNotSupported("type", "This version does not write `\(type)`.", "Use mp4, hls, rtmp or tape.")
            fields.skip("path", "url", "segmentSeconds", "access", "faststart", "container")
            return nil
        default:
            fields.note("type", "not_allowed", "`type` is no kind of output.", "Use one of: mp4, hls, rtmp, tape.")
            return nil
        }
    }

    private static let laterTypes: Set<String> = [
        "webm", "mkv", "ogg", "ts", "wav", "mp3", "images", "rtmps", "srt", "websocket",
    ]
}

extension FieldReader {
    fileprivate mutating func outputID() -> String {
        guard let id = text("id", bytes: 1...64) else { return "" }
        guard id.utf8.allSatisfy(PlainName.allows) else {
            note("id", "not_allowed", "`id` holds other characters.", "Use A-Z, a-z, 0-9, _ and -.")
            return ""
        }
        return id
    }

    fileprivate mutating func path() -> PathTemplate {
        guard let text = text("path", bytes: 1...1024) else { return .recording }
        do {
            return try PathTemplate(text)
        } catch {
            note("path", "not_allowed", error.detail, error.remedy)
            return .recording
        }
    }

    fileprivate mutating func pushURL() -> Secret? {
        guard let text = text("url", bytes: 1...2048) else { return nil }
        if let problem = PushURL.problem(with: text) {
            note("url", "not_allowed", problem, "Use rtmp://HOST[:PORT]/APP/KEY.")
            return nil
        }
        return Secret(text)
    }
}

/// What a push destination's URL must be.
enum PushURL {
    /// What is wrong with it; `nil` if nothing is. Never repeats the URL, which holds a key.
    static func problem(with url: String) -> String? {
        guard let rest = ["rtmp://", "rtmps://"].first(where: url.hasPrefix).map({ url.dropFirst($0.count) }) else {
            return "The URL does not begin with rtmp:// or rtmps://."
        }
        guard url.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            return "The URL holds a space or a character outside ASCII."
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = rest[slash...].split(separator: "/")
        guard let host = host(of: rest[..<slash]) else { return "The URL's host or port is not valid." }
        guard !host.isEmpty else { return "The URL names no host." }
        return path.isEmpty ? "The URL names no application." : nil
    }

    /// The URL without user, key and query: safe to show.
    static func masked(_ url: String) -> String {
        guard let scheme = url.range(ofText: "://") else { return "***" }
        let rest = url[scheme...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: "@").last ?? ""
        let application = rest[slash...].split(separator: "/").first.map { $0.prefix { $0 != "?" } } ?? ""
        return "\(url[..<scheme])\(authority)/\(application)/***"
    }

    /// The host of `[user@]host[:port]`; `nil` if a port is no port.
    private static func host(of authority: Substring) -> Substring? {
        let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { return nil }
            let after = place[place.index(after: end)...]
            return after.isEmpty || after.first == ":" && isPort(after.dropFirst()) ? place[...end] : nil
        }
        guard let colon = place.firstIndex(of: ":") else { return place }
        return isPort(place[place.index(after: colon)...]) ? place[..<colon] : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = Int(text) else { return false }
        return 1...65_535 ~= port
    }
}

extension String {
    /// The index behind the first occurrence of `text`.
    fileprivate func range(ofText text: String) -> Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return self.index(index, offsetBy: text.count) }
            formIndex(after: &index)
        }
        return nil
    }
}
