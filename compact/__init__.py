"""What a device is: definition, primitives, units, parameters, cards, and the reference solver."""
