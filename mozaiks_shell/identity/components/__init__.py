"""Components of the account pages."""
