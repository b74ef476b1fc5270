enum ISOBMFFTestsPlaceholder {}
