"""One file a verb: its options and the job that they start. Light at import: typer, the standard library, our light leaves."""
