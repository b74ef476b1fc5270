enum WorkPlaceholder {}
