"""``from mozaiks_core_runtime.plugins import mozaiks_pay, mozaiks_marketing`` (F-296)."""

from mozaiks_shell.sdk.plugins import NotEnabled, mozaiks_marketing, mozaiks_pay

__all__ = ["NotEnabled", "mozaiks_marketing", "mozaiks_pay"]
