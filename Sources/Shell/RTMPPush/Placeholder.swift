enum RTMPPushPlaceholder {}
