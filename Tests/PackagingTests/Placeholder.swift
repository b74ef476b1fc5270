enum PackagingTestsPlaceholder {}
