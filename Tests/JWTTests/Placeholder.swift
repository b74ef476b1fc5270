enum JWTTestsPlaceholder {}
