enum PackagingPlaceholder {}
