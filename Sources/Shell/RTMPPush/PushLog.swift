import CRTMP
import CShimRTMP
import Log
import Synchronization

/// librtmp's own log, with the keys of all live pushes replaced by `***`.
enum PushLog {
    private struct State {
        var isInstalled = false
        /// How many sessions use a secret.
        var secrets: [String: Int] = [:]
    }

    private static let state = Mutex(State())
    private static let logger = Logger("rtmp-push")

    /// Masks `secret` until ``release(_:)``.
    static func mask(_ secret: Secret) {
        state.withLock { state in
            state.secrets[secret.reveal(), default: 0] += 1
            guard !state.isInstalled else { return }
            state.isInstalled = true
            RTMP_LogSetLevel(RTMP_LOGWARNING)
            unsafe shim_rtmp_log_install { level, line in
                guard let line = unsafe line else { return }
                PushLog.write(unsafe String(cString: line), isError: level <= Int32(RTMP_LOGERROR.rawValue))
            }
        }
    }

    static func release(_ secret: Secret) {
        state.withLock { state in
            let uses = (state.secrets[secret.reveal()] ?? 1) - 1
            state.secrets[secret.reveal()] = uses > 0 ? uses : nil
        }
    }

    /// `text` without any secret of a live push.
    static func masked(_ text: String) -> String {
        let secrets = state.withLock { Array($0.secrets.keys) }
        return secrets.reduce(text) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }

    private static func write(_ line: String, isError: Bool) {
        // What ends a session is told by its failure; librtmp's words are for those who look closer.
        if isError { logger.info(masked(line)) } else { logger.debug(masked(line)) }
    }
}
