"""Documented characteristics: one TOML file a paper, and the catalogue that reads them."""
