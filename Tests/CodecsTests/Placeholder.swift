enum CodecsTestsPlaceholder {}
