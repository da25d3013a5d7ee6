"""The plugin's table. ``app_id`` and ``user_id`` come with ``sdk.Model``, and so does the wall around each person's rows."""

from datetime import date, datetime

from sqlalchemy import DateTime

from mozaiks_shell import sdk


class Task(sdk.Model, table=True):
    """Something to get done."""

    __tablename__ = "tasks_task"

    id: str = sdk.Field(default_factory=lambda: sdk.new_id("task"), primary_key=True, max_length=64)
    title: str = sdk.Field(max_length=200)
    due: date | None = None
    done: bool = False
    done_at: datetime | None = sdk.Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))
