enum NativeTestsPlaceholder {}
