"""Every sentence of the pane, in one place; the stream component gets its share as a prop."""

from typing import Final

from mozaiks_shell.chat.components.labels_composer import COMPOSER
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import Text, t

OPEN: Final = t("Open chat")
CLOSE: Final = t("Close chat")
EXPAND: Final = t("Expand chat")
MINIMISE: Final = t("Minimise chat")
CHAT: Final = t("Chat")
CHATS: Final = t("Chats")
NEW_CHAT: Final = t("New chat")
CONVERSATION: Final = t("Conversation")
ARTIFACT: Final = t("Artifact")
FULL_PAGE: Final = t("Use the whole window")
NOT_FULL_PAGE: Final = t("Leave the whole window")
MODES: Final = t("Mode")
ASK: Final = t("Ask")
WORKFLOW: Final = t("Workflow")
SIGN_IN_TITLE: Final = t("Chat with the assistant")
SIGN_IN_TEXT: Final = t("Sign in and your conversations stay with you.")
SIGN_IN: Final = t("Sign in to chat")
NOT_NOW: Final = t("Not now")
START: Final = t("Start something")
RECENT: Final = t("Recent chats")
NO_RECENT: Final = t("Your chats will be listed here.")
SEARCH: Final = t("Search your chats…")
NONE_FOUND: Final = t("No chat matches")
OLDER: Final = t("Show older chats")
DOWNLOAD: Final = t("Download")
CHANGE_NAME: Final = t("Rename")
CANCEL_IT: Final = t("Cancel")
RUNNING: Final = t("Running")
WAITING: Final = t("Waiting for you")
RENAME: Final = t("Name of this chat")
SAVE: Final = t("Rename")
DELETE: Final = t("Delete")
DELETE_ASK: Final = t("Delete for good?")
KEEP: Final = t("Keep")
SHOW_ARTIFACT: Final = t("Show the artifact")
CLOSE_ARTIFACT: Final = t("Close the artifact")
RAISE: Final = t("Show")
LOWER: Final = t("Hide")
SHOW_CONVERSATION: Final = t("Show the conversation")
HIDE_CONVERSATION: Final = t("Hide the conversation")
NARROW_CONVERSATION: Final = t("Make the conversation narrow")
SUBMIT: Final = msg("Send answer")
CANCEL: Final = msg("Not now")
ACCEPT: Final = msg("Use this")
DISMISS: Final = msg("Dismiss")
CHOOSE: Final = t("Choose…")
NOT_SHOWN: Final = t("This app has no view for this kind of answer; here is its content.")

STREAM: Final[dict[str, Text]] = {
    "message": t("Message"),
    "placeholder": t("Write a message…"),
    "password": t("Your answer stays hidden"),
    "send": t("Send"),
    "stop": t("Stop"),
    "log": t("Messages"),
    "you": t("You"),
    "jump": t("Jump to latest"),
    "copied": t("Copied"),
    "copyMessage": t("Copy message"),
    "copyCode": t("Copy code"),
    "stopped": t("Stopped"),
    "queued": t("Will be read next"),
    "undelivered": t("Not delivered."),
    "writeAgain": t("Write it again"),
    "choice": t("What should become of this run"),
    "chose": t("You chose"),
    "openNext": t("Open the new conversation"),
    "again": t("Start again"),
    "retry": t("Try again"),
    "reload": t("Reload"),
    "connecting": t("Connecting…"),
    "reconnecting": t("Connection lost. Reconnecting…"),
    "notConnected": t("Not connected yet. Your text is kept."),
    "signedOut": t("You were signed out."),
    "refused": t("This chat cannot be opened."),
    "crowded": t("Chat is open in too many tabs. Close one and try again."),
    "runtimeConnecting": t("Waking the assistant…"),
    "empty": t("Nothing here yet. Say hello."),
    "answered": t("You answered"),
    "dismissed": t("Dismissed"),
    "expired": t("No longer needed"),
    "shown": t("Shown beside the conversation"),
    "openArtifact": t("Open"),
    "newMessages": t("New messages"),
    "earlier": t("Show earlier messages"),
    "loadingEarlier": t("Loading earlier messages…"),
    "handsOver": t("hands over to"),
    "stepFailed": t("failed"),
    "total": t("Used in this conversation"),
    "code": t("Code"),
    "diagram": t("Diagram"),
    "showSource": t("Show source"),
    "showDiagram": t("Show diagram"),
    "noDiagram": t("This diagram cannot be drawn; here is its source."),
    "picture": t("Image"),
    "pictureFrom": t("Not loaded, from"),
    "pictureShow": t("Show image"),
    "pictureAll": t("Show all in this chat"),
    "pictureFailed": t("This image could not be loaded."),
    "pictureOpen": t("Open its address"),
    **COMPOSER,
}
