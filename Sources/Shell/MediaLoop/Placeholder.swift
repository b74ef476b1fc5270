enum MediaLoopPlaceholder {}
