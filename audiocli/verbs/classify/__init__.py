"""`audiocli classify`: the sounds in a recording, and their times."""
