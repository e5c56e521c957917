"""The official SDKs, old and new: environments, drivers, and the table of what each makes of an answer."""
