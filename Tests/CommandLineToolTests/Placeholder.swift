enum CommandLineToolTestsPlaceholder {}
