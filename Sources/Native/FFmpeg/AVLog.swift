import CFFmpeg

/// What libav writes to standard error, for the whole process.
public enum AVLog {
    /// Nothing: what matters comes as an ``AVError``.
    public static func silence() { av_log_set_level(AV_LOG_QUIET) }
}
