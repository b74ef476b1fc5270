enum LinkTransportPlaceholder {}
