enum ForwardingPlaceholder {}
