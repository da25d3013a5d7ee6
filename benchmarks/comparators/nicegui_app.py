"""NiceGUI: a start page, and as many small pages as asked (first argument)."""

import os
import sys

from nicegui import ui

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 0


@ui.page("/")
def home() -> None:
    with ui.header():
        ui.label("Hello")
    ui.label("A page with a heading, a field and a button.")
    ui.input("Name")
    ui.button("Save")


def small(number: int) -> None:
    @ui.page(f"/p{number}")
    def page() -> None:
        ui.label(f"Page {number}")
        ui.input("Item")
        ui.button("Add")


for one in range(COUNT):
    small(one)

ui.run(host="127.0.0.1", port=int(os.environ["PORT"]), show=False, reload=False)
