"""The conversation: frames, bridge, transcript, browser socket, pane."""
