"""One file per billing provider; chosen by ``billing/factory.py`` only."""
