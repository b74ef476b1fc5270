/// Who wants to publish what.
public struct PublishInfo: Equatable, Sendable {
    /// The application that `connect` named, without query.
    public var app: String
    /// The stream key without query.
    public var streamKey: String
    /// What stood behind a `?` in the stream key, or else in the application; without the `?`.
    public var query: String
    /// What the encoder calls itself.
    public var flashVersion: String
    public var tcURL: String
}

/// What `connect` said.
struct ConnectInfo: Equatable, Sendable {
    let app: String
    let query: String
    let flashVersion: String
    let tcURL: String

    init(_ object: AMF0Value) {
        let (app, query) = splitQuery(object["app"]?.string ?? "")
        self.app = app.hasSuffix("/") ? String(app.dropLast()) : app
        self.query = query
        flashVersion = object["flashVer"]?.string ?? ""
        tcURL = object["tcUrl"]?.string ?? ""
    }

    func publishing(_ name: String) -> PublishInfo {
        let (streamKey, query) = splitQuery(name)
        return PublishInfo(
            app: app, streamKey: streamKey, query: query.isEmpty ? self.query : query, flashVersion: flashVersion,
            tcURL: tcURL)
    }
}

private func splitQuery(_ text: String) -> (name: String, query: String) {
    guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (text, "") }
    return (String(text[..<mark]), String(text[text.utf8.index(after: mark)...]))
}
