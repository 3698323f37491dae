"""Ten system-design drills: the designs as data, their arithmetic, and the door that shows one step at a time."""
