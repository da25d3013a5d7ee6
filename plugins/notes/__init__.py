"""Markdown notes: several pages, a form that saves itself, search inside and in the palette, a section of the start page."""
