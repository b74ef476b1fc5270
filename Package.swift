// swift-tools-version: 6.2
import PackageDescription

// Targets in floor order: an arrow only goes down (README, "The house").

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

func cLibrary(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/\(name)") }

func source(
    _ floor: String, _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)", resources: resources,
        swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["Spec"], path: "Tests/\(name)", swiftSettings: settings)
}

let floor0: [Target] = [
    cLibrary("CFFmpeg"), cLibrary("CRTMP"), cLibrary("CSQLite"), cLibrary("CMicrohttpd"), cLibrary("CYAML"),
    cLibrary("COpenSSL"), cLibrary("CSSL"), cLibrary("CGnuTLS"), cLibrary("CCurl"), cLibrary("CLinux"),
    cLibrary("CSRTP"),
    // The shims hold macros, variadics and inline functions that Swift cannot see; one a library, so that a program
    // links only what it uses.
    .target(name: "CShimFFmpeg", path: "Sources/C/CShimFFmpeg"),
    .target(name: "CShimRTMP", path: "Sources/C/CShimRTMP", linkerSettings: [.linkedLibrary("rtmp")]),
    .target(name: "CShimSQLite", path: "Sources/C/CShimSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .target(name: "CShimMicrohttpd", path: "Sources/C/CShimMicrohttpd", linkerSettings: [.linkedLibrary("microhttpd")]),
    .target(name: "CShimCurl", path: "Sources/C/CShimCurl", linkerSettings: [.linkedLibrary("curl")]),
]

let floor1: [Target] = [
    source("Base", "Bytes"),
    source("Base", "Timing"),
    source("Base", "Log"),
]

let floor2: [Target] = [
    source("Protocols", "Codecs", ["Bytes"]),
    source("Protocols", "RTMP", ["Bytes", "Timing", "Codecs"]),
    source("Protocols", "ISOBMFF", ["Bytes"]),
    source("Protocols", "HLS", ["Bytes", "Timing"]),
    source("Protocols", "Feed", ["Bytes", "Timing"]),
    source("Protocols", "JSON"),
    source("Protocols", "HTTP"),
    source("Protocols", "JWT", ["Bytes", "Timing", "JSON"]),
    source("Protocols", "STUN", ["Bytes"]),
    source("Protocols", "ICE", ["Bytes", "Timing", "STUN"]),
    source("Protocols", "RTP", ["Bytes", "Timing"]),
    source("Protocols", "SDP", ["STUN", "ICE"]),
    source("Native", "FFmpeg", ["Bytes", "CFFmpeg", "CShimFFmpeg"]),
    source("Native", "SQLite", ["Bytes", "CSQLite", "CShimSQLite"]),
    source("Native", "Crypto", ["Bytes", "COpenSSL"]),
    source("Native", "TLS", ["Bytes", "CSSL"]),
    source("Native", "YAML", ["Bytes", "CYAML"]),
    source("Native", "DTLS", ["Timing", "CSSL"]),
    source("Native", "SRTP", ["Bytes", "Timing", "COpenSSL", "CSRTP"]),
]

let floor3: [Target] = [
    source("Media", "Timeline", ["Bytes", "Timing", "Feed"]),
    source("Media", "Forwarding", ["Bytes", "Timing", "Feed", "Codecs", "RTMP", "Timeline"]),
    source("Media", "Packaging", ["Bytes", "Timing", "Feed", "Codecs", "ISOBMFF", "HLS"]),
]

let floor4: [Target] = [
    source("Shell", "Threads", ["CLinux"]),
    source("Shell", "Listening"),
    source("Shell", "MediaLoop", ["Bytes", "Timing", "Log", "Feed", "Forwarding", "Listening", "Threads", "CLinux"]),
    source(
        "Shell", "RTMPServer",
        ["Bytes", "Timing", "Log", "Feed", "RTMP", "Forwarding", "Timeline", "Listening", "MediaLoop", "TLS"]),
    source("Shell", "LinkTransport", ["Bytes", "Timing", "Log", "Feed", "Forwarding", "MediaLoop"]),
    source("Shell", "HTTPServer", ["HTTP", "Log", "TLS", "Listening", "CMicrohttpd", "CShimMicrohttpd", "CGnuTLS"]),
    source("Shell", "Storage", ["Bytes", "Timing", "Log", "Feed", "Threads"]),
    source(
        "Shell", "RTMPPush", ["Bytes", "Timing", "Log", "RTMP", "MediaLoop", "Threads", "CSSL", "CRTMP", "CShimRTMP"]),
    source("Shell", "Terminal", ["Timing", "Threads", "CLinux"]),
    source("Shell", "HTTPTransfer", ["Bytes", "CCurl", "CShimCurl"]),
    source("Shell", "LoadGenerator", ["Bytes", "Timing", "RTMP", "MediaLoop"]),
]

let floor5: [Target] = [
    source("Control", "Config", ["Bytes", "Timing", "Log", "TLS", "YAML"]),
    source("Control", "Store", ["Bytes", "Timing", "Log", "SQLite"]),
    source("Control", "Assignments"),
    source("Control", "Jobs", ["Bytes", "Timing", "Log", "Store"]),
    source(
        "Control", "Work",
        [
            "Bytes", "Timing", "Log", "Feed", "Codecs", "Packaging", "MediaLoop", "LinkTransport", "Storage",
            "RTMPPush", "RTMP", "Assignments", "ISOBMFF", "FFmpeg", "Terminal",
        ]),
    source(
        "Control", "Service",
        [
            "Bytes", "Timing", "Log", "Feed", "Codecs", "JSON", "Crypto", "JWT", "Config", "Store", "Assignments",
            "Jobs",
            "Listening", "MediaLoop", "RTMPServer", "LinkTransport", "Forwarding", "Storage", "TLS",
        ]),
    source(
        "Control", "API",
        [
            "Bytes", "Timing", "Log", "JSON", "Crypto", "JWT", "YAML", "Config", "Store", "Jobs", "Service",
            "HTTPServer", "Listening", "MediaLoop",
        ],
        resources: [.embedInCode("openapi.yaml")]),
    source(
        "Control", "CommandLineTool",
        [
            "Bytes", "Timing", "Log", "Feed", "JSON", "Crypto", "JWT", "Config", "Store", "Assignments", "Service",
            "MediaLoop", "Storage", "HTTPTransfer", "Terminal",
        ]),
]

let floor6: [Target] = [
    program(
        "sluice",
        [
            "Log", "Timing", "Config", "Service", "API", "CommandLineTool", "HTTPServer", "MediaLoop", "TLS",
            "Terminal",
        ]),
    program("sluice-worker", ["Log", "Timing", "Work"]),
    program(
        "sluice-bench",
        [
            "Bytes", "Timing", "JSON", "Codecs", "RTMP", "MediaLoop", "ISOBMFF", "HTTPTransfer", "LoadGenerator",
            "Terminal",
        ]),
]

let suites: [Target] = [
    .target(name: "Spec", path: "Tests/Spec", swiftSettings: settings),
    .target(name: "Encoder", dependencies: ["Bytes", "RTMP"], path: "Tests/Encoder", swiftSettings: settings),
    tests("BaseTests", ["Bytes", "Timing", "Log"]),
    tests("CodecsTests", ["Bytes", "Codecs"]),
    tests("RTMPTests", ["Bytes", "Timing", "Codecs", "RTMP", "Crypto"]),
    tests("ISOBMFFTests", ["Bytes", "ISOBMFF"]),
    tests("HLSTests", ["Bytes", "Timing", "HLS"]),
    tests("FeedTests", ["Bytes", "Timing", "Feed"]),
    tests("HTTPTests", ["HTTP"]),
    tests("JWTTests", ["Bytes", "Timing", "JSON", "JWT", "Crypto"]),
    tests("STUNTests", ["Bytes", "STUN", "Crypto"]),
    tests("ICETests", ["Bytes", "Timing", "STUN", "ICE", "Crypto"]),
    tests("RTPTests", ["Bytes", "Timing", "RTP"]),
    tests("SRTPTests", ["SRTP", "CSRTP"]),
    tests("DTLSTests", ["Timing", "DTLS", "SRTP"]),
    tests("SDPTests", ["STUN", "ICE", "SDP"]),
    tests("NativeTests", ["Bytes", "SQLite", "Crypto", "TLS", "YAML", "CSSL"]),
    tests("ForwardingTests", ["Bytes", "Timing", "Feed", "Codecs", "RTMP", "Timeline", "Forwarding"]),
    tests("PackagingTests", ["Bytes", "Timing", "Feed", "Codecs", "ISOBMFF", "HLS", "Packaging", "FFmpeg"]),
    tests(
        "ShellTests",
        [
            "Bytes", "Timing", "Log", "Feed", "Codecs", "RTMP", "Forwarding", "MediaLoop", "RTMPServer",
            "LinkTransport", "HTTPServer", "Terminal", "Storage", "RTMPPush", "HTTPTransfer", "Encoder", "Listening",
            "TLS",
        ]),
    tests("ConfigTests", ["Log", "Config", "TLS"]),
    tests("StoreTests", ["Bytes", "Timing", "Store", "Jobs", "SQLite"]),
    tests(
        "WorkTests",
        [
            "Bytes", "Timing", "Feed", "Codecs", "Packaging", "Work", "Assignments", "ISOBMFF", "LinkTransport",
            "RTMPPush", "FFmpeg",
        ]),
    tests(
        "ServiceTests",
        [
            "Bytes", "Timing", "Log", "Feed", "Store", "Assignments", "Jobs", "Config", "Service", "Forwarding",
            "MediaLoop", "RTMPServer", "LinkTransport", "Encoder", "JWT",
        ]),
    tests(
        "APITests",
        ["Bytes", "Timing", "Log", "JSON", "Crypto", "JWT", "Config", "Store", "Service", "API", "HTTPServer"]),
    tests(
        "CommandLineToolTests",
        ["Timing", "Log", "Feed", "JSON", "Crypto", "JWT", "Config", "Service", "CommandLineTool"]),
    tests("SimulationTests", ["Timing", "Feed", "Timeline", "Packaging"]),
    tests("Layout", []),
]

let package = Package(
    name: "sluice",
    targets: floor0 + floor1 + floor2 + floor3 + floor4 + floor5 + floor6 + suites,
    swiftLanguageModes: [.v6]
)
