"""Every sentence of the pane, in one place; the stream component gets its share as a prop."""

from typing import Final

OPEN: Final = "Open chat"
CLOSE: Final = "Close chat"
EXPAND: Final = "Expand chat"
MINIMISE: Final = "Minimise chat"
CHAT: Final = "Chat"
CHATS: Final = "Chats"
NEW_CHAT: Final = "New chat"
CONVERSATION: Final = "Conversation"
ARTIFACT: Final = "Artifact"
UNREAD: Final = "New messages"
SIGN_IN_TITLE: Final = "Chat with the assistant"
SIGN_IN_TEXT: Final = "Sign in and your conversations stay with you."
SIGN_IN: Final = "Sign in to chat"
START: Final = "Start something"
RECENT: Final = "Recent chats"
NO_RECENT: Final = "Your chats will be listed here."
RENAME: Final = "Name of this chat"
SAVE: Final = "Rename"
DELETE: Final = "Delete"
DELETE_ASK: Final = "Delete for good?"
KEEP: Final = "Keep"
SHOW_ARTIFACT: Final = "Show"
HIDE_ARTIFACT: Final = "Hide"
SUBMIT: Final = "Send answer"
CANCEL: Final = "Not now"
ACCEPT: Final = "Use this"
DISMISS: Final = "Dismiss"
CHOOSE: Final = "Choose…"
NOT_SHOWN: Final = "This app has no view for this kind of answer; here is its content."

STREAM: Final[dict[str, str]] = {
    "message": "Message",
    "placeholder": "Write a message…",
    "password": "Your answer stays hidden",
    "send": "Send",
    "stop": "Stop",
    "log": "Messages",
    "you": "You",
    "jump": "Jump to latest",
    "copy": "Copy",
    "copied": "Copied",
    "copyMessage": "Copy message",
    "copyCode": "Copy code",
    "stopped": "Stopped",
    "queued": "Will be read next",
    "again": "Start again",
    "retry": "Try again",
    "reload": "Reload",
    "connecting": "Connecting…",
    "reconnecting": "Connection lost. Reconnecting…",
    "offline": "You are offline. Your text is kept.",
    "notConnected": "Not connected yet. Your text is kept.",
    "notSent": "This message was not sent. Your text is kept.",
    "signedOut": "You were signed out.",
    "refused": "This chat cannot be opened.",
    "crowded": "Chat is open in too many tabs. Close one and try again.",
    "runtimeConnecting": "Waking the assistant…",
    "runtimeDown": "The assistant cannot be reached right now.",
    "completed": "This conversation is complete.",
    "interrupted": "This conversation was interrupted.",
    "empty": "Nothing here yet. Say hello.",
    "answered": "You answered",
    "dismissed": "Dismissed",
    "expired": "No longer needed",
    "shown": "Shown beside the conversation",
    "openArtifact": "Open",
}
