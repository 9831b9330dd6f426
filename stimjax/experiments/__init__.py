"""What the scripts share: grids of settings, rows of tables, the tables themselves."""
