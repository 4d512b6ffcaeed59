"""What somebody has to do about an incident, during it and after."""

from incidents.followup.work import add_task, edit_task

__all__ = ["add_task", "edit_task"]
