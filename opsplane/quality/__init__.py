"""Live quality under watch: figures by hour, tests that may be read at any hour, alarms that say what changed."""
