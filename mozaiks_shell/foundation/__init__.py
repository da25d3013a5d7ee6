"""What every room stands on: settings, errors, clock, ids, logging, database, events, HTTP. Knows no room."""
