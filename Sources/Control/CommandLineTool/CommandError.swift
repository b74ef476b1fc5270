import Config
import HTTPTransfer

/// Why a command did not do what was asked, in words for who typed it.
enum CommandError: Error, Equatable {
    /// Exit 2: the words themselves are wrong. `command`: whose help to read.
    case misused(String, command: String?)
    /// Exit 1.
    case failed(String, remedy: String?)

    var exitCode: Int32 {
        switch self {
        case .misused: 2
        case .failed: 1
        }
    }

    var message: String {
        switch self {
        case .misused(let message, _), .failed(let message, _): message
        }
    }

    var remedy: String? {
        switch self {
        case .misused(_, let command): "See `sluice \(command.map { $0 + " " } ?? "")--help`."
        case .failed(_, let remedy): remedy
        }
    }

    init(_ error: TransferError) { self = .failed(error.description, remedy: error.remedy) }

    /// What `body` gives, or what is wrong with a configuration file, in its own words.
    static func wrapping<Result>(_ body: () throws(ConfigurationError) -> Result) throws(CommandError) -> Result {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            throw .failed(error.description, remedy: nil)
        }
    }
}
