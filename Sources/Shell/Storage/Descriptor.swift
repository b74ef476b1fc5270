import Glibc

/// Owns one open descriptor; closed when its last user is done with it.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// Runs `call` again while a signal interrupts it; gives its result, or the error number.
func retrying(_ call: () -> Int) -> (result: Int, code: Int32) {
    while true {
        let result = call()
        if result >= 0 { return (result, 0) }
        if errno != EINTR { return (result, errno) }
    }
}
