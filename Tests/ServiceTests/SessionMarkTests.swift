import Testing

@testable import Service

@Suite("A session's name in the log")
struct SessionMarkTests {
    @Test("is the same each time, another for another, and not the secret id")
    func mark() {
        let mark = SessionMark.of("SE_0123456789abcdefghijkl")
        #expect(mark == "s-4deb868f04ff")
        #expect(mark == SessionMark.of("SE_0123456789abcdefghijkl"))
        #expect(mark != SessionMark.of("SE_0123456789abcdefghijkm"))
        #expect(!mark.contains("0123456789"))
    }
}
