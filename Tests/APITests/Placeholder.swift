enum APITestsPlaceholder {}
