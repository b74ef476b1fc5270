import HTTPServer
import Service

/// A file as an answer: ranges, validators and a name for the download (RFC 9110 sections 8.8, 13 and 14).
enum FileAnswer {
    /// A file that grows is served to its length at this moment.
    /// - Parameter isDownload: a browser is to save it, not to play it.
    static func response(
        _ file: ServedFile, to route: RouteRequest, isDownload: Bool = true
    ) throws(ServiceError) -> HTTPResponse {
        let request = route.http
        guard let open = OpenFile(path: file.path) else {
            throw ServiceError(.notFound, "The file is not there any more.")
        }
        var headers: HTTPHeaders = [
            "Content-Type": file.contentType, "ETag": open.entityTag, "Accept-Ranges": "bytes",
            "Cache-Control": file.isImmutable ? "private, max-age=31536000, immutable" : "no-cache",
        ]
        if isDownload { headers["Content-Disposition"] = disposition(file.name) }
        if matches(request.headers["If-None-Match"], open.entityTag) {
            return HTTPResponse(status: 304, headers: headers)
        }
        let isFresh = request.headers["If-Range"].map { $0 == open.entityTag } ?? true
        switch ByteRange(isFresh ? request.headers["Range"] : nil, length: open.byteCount) {
        case .whole:
            return HTTPResponse(status: 200, headers: headers, body: .file(open, offset: 0, count: open.byteCount))
        case .part(let range):
            headers["Content-Range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(open.byteCount)"
            return HTTPResponse(
                status: 206, headers: headers,
                body: .file(open, offset: range.lowerBound, count: range.upperBound - range.lowerBound))
        case .unsatisfiable:
            let error = ServiceError(.rangeNotSatisfiable, "The file has \(open.byteCount) bytes.")
            var response = Problem.response(error, to: request.target.path, requestID: route.id)
            response.headers["Content-Range"] = "bytes */\(open.byteCount)"
            return response
        }
    }

    private static func matches(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        return header.split(separator: ",").contains { part in
            let part = part.trimmingSpaces
            return part == "*" || part == tag || part == "W/" + tag
        }
    }

    /// RFC 6266, with the name in UTF-8 as RFC 8187 encodes it.
    private static func disposition(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { 0x20...0x7E ~= $0.value && $0 != "\"" && $0 != "\\" ? Character($0) : "_" })
        let encoded = name.utf8.map { byte in
            let isPlain =
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || "-._~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...end]
    }
}
