enum FeedTestsPlaceholder {}
