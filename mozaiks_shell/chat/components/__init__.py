"""The visible chat: bubble, widget, overlay, UI tools and artifacts."""
