enum RTMPTestsPlaceholder {}
