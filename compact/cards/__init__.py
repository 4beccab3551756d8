"""One TOML file a material."""
