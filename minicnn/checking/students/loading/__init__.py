"""Running a student's file, script or notebook, however it was meant to be run."""
