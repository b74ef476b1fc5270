import Glibc

/// How many descriptors this process may have: a session, a link and a file take one each.
public enum DescriptorLimit {
    /// Raises the soft limit to the hard one. Workers inherit it.
    public static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
