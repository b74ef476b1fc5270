enum JWTPlaceholder {}
