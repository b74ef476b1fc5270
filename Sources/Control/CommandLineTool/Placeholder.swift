enum CommandLineToolPlaceholder {}
