enum ForwardingTestsPlaceholder {}
