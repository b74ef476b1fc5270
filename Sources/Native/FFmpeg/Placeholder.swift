enum FFmpegPlaceholder {}
