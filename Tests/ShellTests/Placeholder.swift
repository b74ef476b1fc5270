enum ShellTestsPlaceholder {}
