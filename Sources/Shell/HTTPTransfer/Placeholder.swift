enum HTTPTransferPlaceholder {}
