enum ConfigTestsPlaceholder {}
