"""The course's homework, off and on: what each exercise does to accuracy and time."""
