"""One module per chapter of requirements (large chapters have several)."""
