"""One file a device, each with its MODEL."""
