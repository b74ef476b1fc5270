import CMicrohttpd
import CShimMicrohttpd
import Glibc

extension RequestHead {
    /// Reads the head of a request in the handler's first call, when libmicrohttpd's read buffer still holds all of it.
    ///
    /// libmicrohttpd 0.9.75 parses in place: it writes NUL over the separators and gives out pointers into the buffer. So
    /// the pointers tell whether anything stood between the parts: each line must begin two bytes (CR LF) behind the end
    /// of the one before. A NUL in a value, a folded line and a bare LF all break that.
    init(
        connection: OpaquePointer, method: UnsafePointer<CChar>, url: UnsafePointer<CChar>,
        version: UnsafePointer<CChar>, target: [UInt8]
    ) {
        let lines = unsafe HeaderLines(connection).lines
        let methodBytes = unsafe Self.bytes(method)
        let versionBytes = unsafe Self.bytes(version)
        let byteCount = unsafe shim_mhd_header_size(connection)
        let start = UInt(bitPattern: method)
        let versionStart = UInt(bitPattern: version)
        var isExact = UInt(bitPattern: url) == start &+ UInt(methodBytes.count) &+ 1
        isExact = isExact && versionStart == UInt(bitPattern: url) &+ UInt(target.count) &+ 1
        var end = versionStart &+ UInt(versionBytes.count)
        for line in lines {
            isExact = isExact && line.start == end &+ 2 && line.isExact
            end = line.end
        }
        isExact = isExact && end &+ 4 == start &+ UInt(byteCount)
        self.init(
            method: methodBytes, target: target, version: versionBytes, fields: lines.map { ($0.name, $0.value) },
            byteCount: byteCount, isExact: isExact)
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}

/// The header lines of a request, and where they stand in libmicrohttpd's buffer. Addresses are compared, never read.
private final class HeaderLines {
    struct Line {
        var start: UInt
        var end: UInt
        var name: [UInt8]
        var value: [UInt8]
        /// Nothing but spaces and tabs between the colon and the value.
        var isExact: Bool
    }

    private(set) var lines: [Line] = []

    init(_ connection: OpaquePointer) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe MHD_get_connection_values_n(
            connection, .HEADER_KIND,
            { context, _, name, nameCount, value, valueCount in
                guard let context = unsafe context, let name = unsafe name else { return .NO }
                let start = unsafe UnsafeRawPointer(name)
                // A line without a value may have no pointer for it: then it ends behind its colon.
                let text = unsafe value.map { unsafe UnsafeRawPointer($0) } ?? start + nameCount + 1
                let line = unsafe Line(start, nameCount, text, value == nil ? 0 : valueCount)
                unsafe Unmanaged<HeaderLines>.fromOpaque(context).takeUnretainedValue().lines.append(line)
                return .YES
            }, context)
    }
}

extension HeaderLines.Line {
    fileprivate init(_ name: UnsafeRawPointer, _ nameCount: Int, _ value: UnsafeRawPointer, _ valueCount: Int) {
        let gap = unsafe value - (name + nameCount + 1)
        start = UInt(bitPattern: name)
        end = UInt(bitPattern: value) &+ UInt(valueCount)
        self.name = unsafe Array(UnsafeRawBufferPointer(start: name, count: nameCount))
        self.value = unsafe Array(UnsafeRawBufferPointer(start: value, count: valueCount))
        isExact =
            unsafe 0...256 ~= gap
            && UnsafeRawBufferPointer(start: name + nameCount + 1, count: gap).allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }
}
