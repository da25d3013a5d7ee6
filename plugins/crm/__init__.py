"""Companies, contacts and deals: tables with relations, typed settings, limits by plan, a board, a chart, CSV in and out."""
