/// Holds something that lives on one loop's thread, so that its door may be passed around.
///
/// The value is reached only with the loop in hand, and only the loop's own thread has that.
public struct LoopBound<Value>: @unchecked Sendable {  // unchecked: `on` asks for the loop, which stays at home
    private let value: Value
    private let owner: ObjectIdentifier

    public init(_ value: Value, on loop: EventLoop) {
        self.value = value
        owner = ObjectIdentifier(loop)
    }

    /// The value, for a caller that runs on its loop.
    public func on(_ loop: EventLoop) -> Value {
        precondition(ObjectIdentifier(loop) == owner, "a value of another loop")
        return value
    }
}
