enum WorkTestsPlaceholder {}
