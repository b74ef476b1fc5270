public import Testing

/// The clause of a standard that a suite or a test stands for, shown as a trait.
public struct Clause: SuiteTrait, TestTrait {
    public let name: String
}

extension Trait where Self == Clause {
    /// A clause of an RFC: `.rfc(3550, "5.1")`.
    public static func rfc(_ number: Int, _ section: String) -> Self {
        Clause(name: "RFC \(number) section \(section)")
    }

    /// A clause of another standard: `.spec("RTMP 1.0", "5.3.1")`.
    public static func spec(_ document: String, _ section: String) -> Self {
        Clause(name: "\(document) section \(section)")
    }
}
