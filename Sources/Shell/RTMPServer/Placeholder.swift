enum RTMPServerPlaceholder {}
