enum ISOBMFFPlaceholder {}
