"""The forms in which people have labelled faces: tables, archives, folders, single pictures."""
