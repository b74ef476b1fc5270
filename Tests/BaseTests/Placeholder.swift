enum BaseTestsPlaceholder {}
