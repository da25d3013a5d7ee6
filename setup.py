"""The package is described in pyproject.toml; here only what that cannot say.

``alembic/`` and ``assets/`` stand beside the package in a checkout, where their tools look for them. An installed shell
needs both, so the wheel carries them within the package (``foundation/settings.py`` finds either place).
"""

from setuptools import find_packages, setup

WITHIN = {
    "mozaiks_shell._alembic": "alembic",
    "mozaiks_shell._alembic.versions": "alembic/versions",
    "mozaiks_shell._assets": "assets",
}

setup(
    packages=[*find_packages(include=["mozaiks_shell*", "mozaiks_core_runtime*"]), *WITHIN],
    package_dir=WITHIN,
)
